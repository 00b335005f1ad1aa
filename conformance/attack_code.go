package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
)

func codeAttacks() []Check {
	return []Check{
		{
			Name:        "attack/23-code-replay",
			Requirement: "A code works once; a replay revokes the tokens issued for it.",
			do:          checkCodeReplay,
		},
		{
			Name:        "attack/24-parallel-code-redemption",
			Requirement: "If a code is redeemed twenty times at once, one request succeeds.",
			do:          checkParallelRedemption,
		},
		{
			Name:        "attack/25-old-code",
			Requirement: "A code expires within ten minutes.",
			Serial:      true,
			do: func(r *run) {
				code := r.browser().obtainCode(r.target.Web)
				r.passTime(10*time.Minute + time.Second)
				r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
			},
		},
		{
			Name:        "attack/26-code-of-another-client",
			Requirement: "A code cannot be redeemed by another client, and the attempt uses it up.",
			do: func(r *run) {
				r.skipWithout("other client", r.target.Other.ID != "")
				code := r.browser().obtainCode(r.target.Web)
				r.requireTokenError(r.sendCode(r.target.Other, code, "redirect_uri", r.target.Web.RedirectURI),
					http.StatusBadRequest, "invalid_grant")
				r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
			},
		},
		{
			Name:        "attack/27-other-redirect-uri-at-token",
			Requirement: "The token endpoint requires the redirect URI of the authorization request.",
			do: func(r *run) {
				b := r.browser()
				for _, uri := range []string{"", r.target.Web.RedirectURI + "/x", "https://evil.example/"} {
					t := r.sendCode(r.target.Web, b.obtainCode(r.target.Web), "redirect_uri", uri)
					known := t.Error == "invalid_grant" || uri == "" && t.Error == "invalid_request"
					r.require(t.Status == http.StatusBadRequest && known, "redirect_uri %q returned %d %s", uri, t.Status, t.Error)
				}
			},
		},
		{
			Name:        "attack/28-guessing",
			Requirement: "Codes, tokens and session cookies have at least 128 bits and are unique.",
			do:          checkGuessing,
		},
	}
}

func checkCodeReplay(r *run) {
	code := r.browser().obtainCode(r.target.Web)
	t := r.redeemCode(r.target.Web, code)
	r.requireActive(t.AccessToken, "before the replay")
	r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
	r.requireRevoked(t.AccessToken, "after the replay")
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
	r.requireRevoked(token, "after concurrent redemption, which is a replay")
}

func checkGuessing(r *run) {
	b := r.browser()
	seen := map[string]bool{}
	for range 3 {
		code := b.obtainCode(r.target.Web)
		t := r.redeemCode(r.target.Web, code)
		for _, secret := range []string{code, t.AccessToken} {
			r.require(len(secret) >= 22 && isUnguessable(secret), "a code or token of %d characters can be guessed", len(secret))
			r.require(!seen[secret], "the same code or token was issued twice")
			seen[secret] = true
		}
	}
	u, err := url.Parse(r.target.Issuer)
	r.require(err == nil, "the issuer is not a URL")
	strongest := 0
	for _, cookie := range b.robot.Jar.Cookies(u) {
		strongest = max(strongest, len(cookie.Value))
	}
	r.require(strongest >= 22, "no session cookie has 128 bits")
	for range 3 {
		r.requireRevoked(randomString(43), "a made-up token")
		r.requireTokenError(r.sendCode(r.target.Web, randomString(43)), http.StatusBadRequest, "invalid_grant")
	}
}

func pkceAttacks() []Check {
	return []Check{
		{
			Name:        "attack/29-public-client-without-pkce",
			Requirement: "A client without a secret must use PKCE.",
			do: func(r *run) {
				r.skipWithout("public client", r.target.Public.ID != "")
				r.requireRejected(r.newRequest(r.target.Public, codeFlow()), "invalid_request")
			},
		},
		{Name: "attack/30-pkce-method", Requirement: "code_challenge_method must be S256.", do: func(r *run) {
			for _, method := range []string{"plain", "", "S512", "s256"} {
				request := r.newRequest(r.target.Web, codeFlow(), "code_challenge", pkce.Challenge(randomString(64)),
					"code_challenge_method", method)
				r.requireRejected(request, "invalid_request")
			}
		}},
		{
			Name:        "attack/31-pkce-form",
			Requirement: "A malformed code_challenge or code_verifier is rejected.",
			do:          checkPKCEForm,
		},
		{Name: "attack/32-wrong-verifier", Requirement: "A wrong code_verifier uses up the code.", do: func(r *run) {
			verifier := randomString(64)
			code := r.browser().obtainCode(r.target.Web, "code_challenge", pkce.Challenge(verifier), "code_challenge_method",
				"S256")
			r.requireTokenError(r.sendCode(r.target.Web, code, "code_verifier", randomString(64)), http.StatusBadRequest,
				"invalid_grant")
			r.requireTokenError(r.sendCode(r.target.Web, code, "code_verifier", verifier), http.StatusBadRequest,
				"invalid_grant")
		}},
		{
			Name:        "attack/33-pkce-stripped",
			Requirement: "A code_verifier without a code_challenge is rejected.",
			do: func(r *run) {
				code := r.browser().obtainCode(r.target.Web)
				r.requireTokenError(r.sendCode(r.target.Web, code, "code_verifier", randomString(64)), http.StatusBadRequest,
					"invalid_grant")
			},
		},
		{
			Name:        "attack/34-verifier-missing",
			Requirement: "A code_challenge requires its code_verifier, even from a client with a secret.",
			do: func(r *run) {
				code := r.browser().obtainCode(r.target.Web, "code_challenge", pkce.Challenge(randomString(64)),
					"code_challenge_method", "S256")
				r.requireTokenError(r.sendCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
			},
		},
		{
			Name:        "attack/35-stolen-code-injected",
			Requirement: "PKCE stops a stolen code in the attacker's session, and the nonce is returned unchanged.",
			do:          checkStolenCode,
		},
	}
}

func checkPKCEForm(r *run) {
	for _, bad := range []string{
		"short", randomString(42), randomString(129), randomString(43) + "+",
		randomString(43) + "=", strings.Repeat("é", 43),
	} {
		r.requireRejected(r.newRequest(r.target.Web, codeFlow(), "code_challenge", bad, "code_challenge_method", "S256"),
			"invalid_request")
		code := r.browser().obtainCode(r.target.Web, "code_challenge", pkce.Challenge(bad), "code_challenge_method", "S256")
		t := r.sendCode(r.target.Web, code, "code_verifier", bad)
		r.require(t.Status == http.StatusBadRequest && slices.Contains([]string{"invalid_grant", "invalid_request"}, t.Error),
			"the verifier %q returned %d %s", robot.Excerpt(bad), t.Status, t.Error)
	}
}

func checkStolenCode(r *run) {
	mine, theirs := randomString(64), randomString(64)
	stolen := r.browser().obtainCode(r.target.Web, "code_challenge", pkce.Challenge(theirs), "code_challenge_method",
		"S256")
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
		{
			Name:        "attack/37-access-token-in-front-channel",
			Requirement: "Only clients configured for it get an access token in the front channel.",
			do: func(r *run) {
				r.skipWithout("public client", r.target.Public.ID != "")
				for _, t := range []string{"token", "id_token token", "code token"} {
					request := r.newRequest(r.target.Public, variant{responseType: t}, "code_challenge",
						pkce.Challenge(randomString(64)), "code_challenge_method", "S256")
					r.requireRejected(request, "unsupported_response_type", "unauthorized_client")
				}
			},
		},
		{
			Name:        "attack/38-hashes",
			Requirement: "at_hash and c_hash are present where required, and correct.",
			do: func(r *run) {
				for _, t := range r.supportedTypes("id_token token", "code id_token", "code id_token token") {
					r.runFlow(r.browser(), r.target.Web, variant{responseType: t})
				}
				flow := r.runFlow(r.browser(), r.target.Web, codeFlow())
				r.checkHashes(flow.claims, flow.tokens.AccessToken, "", false)
			},
		},
		{
			Name:        "attack/41-token-of-another-client",
			Requirement: "An ID token of one client is not accepted as a hint from another.",
			do:          checkHintOfOtherClient,
		},
		{
			Name:        "attack/42-client-as-person",
			Requirement: "No client gets a token for itself that could pass for a user's.",
			do: func(r *run) {
				t := r.requestTokens(r.target.Web, url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}})
				r.require(t.Status == http.StatusBadRequest && t.rejectsGrant(),
					"client_credentials returned %d %s", t.Status, t.Error)
			},
		},
		{
			Name:        "attack/43-subjects",
			Requirement: "A person's sub is stable and unique.",
			do:          checkSubjects,
		},
	}
}

func checkHintOfOtherClient(r *run) {
	r.skipWithout("other client", r.target.Other.ID != "")
	b := r.browser()
	flow := r.runFlow(b, r.target.Web, codeFlow())
	r.require(hasAudience(flow.claims["aud"], r.target.Web.ID) && !hasAudience(flow.claims["aud"], r.target.Other.ID),
		"aud is %v", flow.claims["aud"])
	request := r.newRequest(r.target.Other, codeFlow(), "prompt", "none", "id_token_hint", flow.idToken)
	response := b.authorizeSilently(request)
	r.require(response.Get("error") != "" && !response.Has("code"),
		"with a hint of another client the response has %s", strings.Join(sortedNames(response.Values), ", "))
}

func checkSubjects(r *run) {
	first := r.runFlow(r.browser(), r.target.Web, codeFlow())
	again := r.runFlow(r.browser(), r.target.Web, codeFlow())
	r.require(first.claims["sub"] == again.claims["sub"], "sub differs between two sign-ins of one person")
	r.skipWithout("second person", r.otherPerson().Username != "")
	request := r.newRequest(r.target.Web, codeFlow())
	flow := r.finishFlow(r.target.Web, request, r.browser().signInAs(r.otherPerson(), request))
	r.require(flow.claims["sub"] != first.claims["sub"], "two people have the same sub")
}
