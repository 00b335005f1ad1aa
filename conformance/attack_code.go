package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"idpbridge/internal/robot"
)

func codeAttacks() []Check {
	return []Check{
		{Name: "attack/23-code-replay", Requirement: "A code works once; coming back it ends the tokens that it gave.", do: checkCodeReplay},
		{Name: "attack/24-parallel-code-redemption", Requirement: "Of twenty who redeem a code at once, one succeeds.", do: checkParallelRedemption},
		{Name: "attack/25-old-code", Requirement: "A code does not live longer than ten minutes.", Serial: true, do: func(r *run) {
			code := r.browser().obtainCode(r.target.Web)
			r.passTime(10*time.Minute + time.Second)
			r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/26-code-of-another-client", Requirement: "A code of one client is nothing to another, and burnt by the attempt.", do: func(r *run) {
			r.skipWithout("other client", r.target.Other.ID != "")
			code := r.browser().obtainCode(r.target.Web)
			r.requireTokenError(r.sendCode(r.target.Other, code, "redirect_uri", r.target.Web.RedirectURI), http.StatusBadRequest, "invalid_grant")
			r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/27-other-redirect-uri-at-token", Requirement: "The token endpoint wants the redirect URI of the request.", do: func(r *run) {
			b := r.browser()
			for _, uri := range []string{"", r.target.Web.RedirectURI + "/x", "https://evil.example/"} {
				t := r.sendCode(r.target.Web, b.obtainCode(r.target.Web), "redirect_uri", uri)
				r.require(t.Status == http.StatusBadRequest && (t.Error == "invalid_grant" || uri == "" && t.Error == "invalid_request"), "redirect_uri %q is answered by %d %s", uri, t.Status, t.Error)
			}
		}},
		{Name: "attack/28-guessing", Requirement: "Codes, tokens and session cookies have 128 bits and more, and no two are alike.", do: checkGuessing},
	}
}

func checkCodeReplay(r *run) {
	code := r.browser().obtainCode(r.target.Web)
	t := r.redeemCode(r.target.Web, code)
	r.requireActive(t.AccessToken, "before the replay the token works")
	r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
	r.requireRevoked(t.AccessToken, "after the replay the token must be dead")
}

func checkParallelRedemption(r *run) {
	code := r.browser().obtainCode(r.target.Web)
	var won atomic.Int64
	var access atomic.Value
	r.runTogether(20, func(r *run, _ int) {
		if t := r.sendCode(r.target.Web, code); t.Status == http.StatusOK {
			won.Add(1)
			access.Store(t.AccessToken)
		}
	})
	r.require(won.Load() == 1, "%d of 20 succeeded", won.Load())
	token, _ := access.Load().(string)
	r.requireRevoked(token, "a race is a replay, so the winner's token must be dead")
}

func checkGuessing(r *run) {
	b := r.browser()
	seen := map[string]bool{}
	for range 3 {
		code := b.obtainCode(r.target.Web)
		t := r.redeemCode(r.target.Web, code)
		for _, secret := range []string{code, t.AccessToken} {
			r.require(len(secret) >= 22 && isUnguessable(secret), "a code or token of %d characters can be guessed", len(secret))
			r.require(!seen[secret], "a code or token was issued twice")
			seen[secret] = true
		}
	}
	u, err := url.Parse(r.target.Issuer)
	r.require(err == nil, "the issuer is no address")
	strongest := 0
	for _, cookie := range b.robot.Jar.Cookies(u) {
		strongest = max(strongest, len(cookie.Value))
	}
	r.require(strongest >= 22, "no cookie of the session has 128 bits")
	for range 3 {
		r.requireRevoked(randomString(43), "a made-up token")
		r.requireTokenError(r.sendCode(r.target.Web, randomString(43)), http.StatusBadRequest, "invalid_grant")
	}
}

func pkceAttacks() []Check {
	return []Check{
		{Name: "attack/29-public-client-without-pkce", Requirement: "A client without a secret must use PKCE.", do: func(r *run) {
			r.skipWithout("public client", r.target.Public.ID != "")
			r.requireRejected(r.newRequest(r.target.Public, codeFlow()), "invalid_request")
		}},
		{Name: "attack/30-pkce-method", Requirement: "plain, an empty and an unknown method are refused.", do: func(r *run) {
			for _, method := range []string{"plain", "", "S512", "s256"} {
				request := r.newRequest(r.target.Web, codeFlow(), "code_challenge", pkceChallenge(randomString(64)), "code_challenge_method", method)
				r.requireRejected(request, "invalid_request")
			}
		}},
		{Name: "attack/31-pkce-form", Requirement: "A challenge or verifier of another form is refused.", do: checkPKCEForm},
		{Name: "attack/32-wrong-verifier", Requirement: "A wrong verifier burns the code.", do: func(r *run) {
			verifier := randomString(64)
			code := r.browser().obtainCode(r.target.Web, "code_challenge", pkceChallenge(verifier), "code_challenge_method", "S256")
			r.requireTokenError(r.sendCode(r.target.Web, code, "code_verifier", randomString(64)), http.StatusBadRequest, "invalid_grant")
			r.requireTokenError(r.sendCode(r.target.Web, code, "code_verifier", verifier), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/33-pkce-stripped", Requirement: "A verifier without an earlier challenge is refused.", do: func(r *run) {
			code := r.browser().obtainCode(r.target.Web)
			r.requireTokenError(r.sendCode(r.target.Web, code, "code_verifier", randomString(64)), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/34-verifier-missing", Requirement: "A challenge wants its verifier, whatever secret the client has.", do: func(r *run) {
			code := r.browser().obtainCode(r.target.Web, "code_challenge", pkceChallenge(randomString(64)), "code_challenge_method", "S256")
			r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/35-stolen-code-injected", Requirement: "A stolen code fails by PKCE in the attacker's session, and nonce comes back as it was.", do: checkStolenCode},
	}
}

func checkPKCEForm(r *run) {
	for _, bad := range []string{"short", randomString(42), randomString(129), randomString(43) + "+", randomString(43) + "=", strings.Repeat("é", 43)} {
		r.requireRejected(r.newRequest(r.target.Web, codeFlow(), "code_challenge", bad, "code_challenge_method", "S256"), "invalid_request")
		code := r.browser().obtainCode(r.target.Web, "code_challenge", pkceChallenge(bad), "code_challenge_method", "S256")
		t := r.sendCode(r.target.Web, code, "code_verifier", bad)
		r.require(t.Status == http.StatusBadRequest && slices.Contains([]string{"invalid_grant", "invalid_request"}, t.Error), "the verifier %q is answered by %d %s", robot.Excerpt(bad), t.Status, t.Error)
	}
}

func checkStolenCode(r *run) {
	mine, theirs := randomString(64), randomString(64)
	stolen := r.browser().obtainCode(r.target.Web, "code_challenge", pkceChallenge(theirs), "code_challenge_method", "S256")
	r.requireTokenError(r.sendCode(r.target.Web, stolen, "code_verifier", mine), http.StatusBadRequest, "invalid_grant")
	for _, nonce := range []string{`odd "nonce" \ + %20 é`, randomString(200)} {
		request := r.newRequest(r.target.Web, codeFlow(), "nonce", nonce)
		response := r.browser().signIn(request)
		r.requireSuccess(response, request)
		r.verifyIDToken(r.redeemCode(r.target.Web, response.Get("code")).IDToken, r.target.Web, request)
	}
}

func implicitAttacks() []Check {
	return []Check{
		{Name: "attack/37-access-token-in-front-channel", Requirement: "An access token in the front channel is for clients alone that are configured for it.", do: func(r *run) {
			r.skipWithout("public client", r.target.Public.ID != "")
			for _, t := range []string{"token", "id_token token", "code token"} {
				request := r.newRequest(r.target.Public, variant{responseType: t}, "code_challenge", pkceChallenge(randomString(64)), "code_challenge_method", "S256")
				r.requireRejected(request, "unsupported_response_type", "unauthorized_client")
			}
		}},
		{Name: "attack/38-hashes", Requirement: "at_hash and c_hash are there and right wherever they are due.", do: func(r *run) {
			for _, t := range r.supportedTypes("id_token token", "code id_token", "code id_token token") {
				r.runFlow(r.browser(), r.target.Web, variant{responseType: t})
			}
			flow := r.runFlow(r.browser(), r.target.Web, codeFlow())
			r.checkHashes(flow.claims, flow.tokens.AccessToken, "", false)
		}},
		{Name: "attack/41-token-of-another-client", Requirement: "An ID token of one client is no hint for another.", do: checkHintOfOtherClient},
		{Name: "attack/42-client-as-person", Requirement: "No client gets a token for itself that could pass for a person's.", do: func(r *run) {
			t := r.requestTokens(r.target.Web, url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}})
			r.require(t.Status == http.StatusBadRequest && slices.Contains([]string{"unsupported_grant_type", "unauthorized_client"}, t.Error), "client_credentials is answered by %d %s", t.Status, t.Error)
		}},
		{Name: "attack/43-subjects", Requirement: "A person's sub is the same everywhere and always, and nobody else's.", do: checkSubjects},
	}
}

func checkHintOfOtherClient(r *run) {
	r.skipWithout("other client", r.target.Other.ID != "")
	b := r.browser()
	flow := r.runFlow(b, r.target.Web, codeFlow())
	r.require(hasAudience(flow.claims["aud"], r.target.Web.ID) && !hasAudience(flow.claims["aud"], r.target.Other.ID), "aud is %v", flow.claims["aud"])
	request := r.newRequest(r.target.Other, codeFlow(), "prompt", "none", "id_token_hint", flow.idToken)
	response := b.authorizeSilently(request)
	r.require(response.Get("error") != "" && !response.Has("code"), "the hint of another client is answered with %s", strings.Join(sortedNames(response.Values), ", "))
}

func checkSubjects(r *run) {
	first := r.runFlow(r.browser(), r.target.Web, codeFlow())
	again := r.runFlow(r.browser(), r.target.Web, codeFlow())
	r.require(first.claims["sub"] == again.claims["sub"], "sub differs between two sign-ins of one person")
	r.skipWithout("second person", r.target.OtherPerson.Username != "")
	request := r.newRequest(r.target.Web, codeFlow())
	flow := r.finishFlow(r.target.Web, request, r.browser().signInAs(r.target.OtherPerson, request))
	r.require(flow.claims["sub"] != first.claims["sub"], "two people have one sub")
}
