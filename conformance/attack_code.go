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
		{Name: "attack/23-code-replay", Says: "A code works once; coming back it ends the tokens that it gave.", do: codeReplay},
		{Name: "attack/24-parallel-code-redemption", Says: "Of twenty who redeem a code at once, one succeeds.", do: parallelRedemption},
		{Name: "attack/25-old-code", Says: "A code does not live longer than ten minutes.", Alone: true, do: func(r *run) {
			code := r.browser().code(r.target.Web)
			r.wait(10*time.Minute + time.Second)
			r.tokenRefused(r.tryCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/26-code-of-another-client", Says: "A code of one client is nothing to another, and burnt by the attempt.", do: func(r *run) {
			r.needs("other client", r.target.Other.ID != "")
			code := r.browser().code(r.target.Web)
			r.tokenRefused(r.tryCode(r.target.Other, code, "redirect_uri", r.target.Web.RedirectURI), http.StatusBadRequest, "invalid_grant")
			r.tokenRefused(r.tryCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/27-other-redirect-uri-at-token", Says: "The token endpoint wants the redirect URI of the request.", do: func(r *run) {
			b := r.browser()
			for _, uri := range []string{"", r.target.Web.RedirectURI + "/x", "https://evil.example/"} {
				t := r.tryCode(r.target.Web, b.code(r.target.Web), "redirect_uri", uri)
				r.must(t.Status == http.StatusBadRequest && (t.Error == "invalid_grant" || uri == "" && t.Error == "invalid_request"), "redirect_uri %q is answered by %d %s", uri, t.Status, t.Error)
			}
		}},
		{Name: "attack/28-guessing", Says: "Codes, tokens and session cookies have 128 bits and more, and no two are alike.", do: guessing},
	}
}

func codeReplay(r *run) {
	code := r.browser().code(r.target.Web)
	t := r.redeem(r.target.Web, code)
	r.alive(t.AccessToken, "before the replay the token works")
	r.tokenRefused(r.tryCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
	r.dead(t.AccessToken, "after the replay the token must be dead")
}

func parallelRedemption(r *run) {
	code := r.browser().code(r.target.Web)
	var won atomic.Int64
	var access atomic.Value
	r.together(20, func(r *run, _ int) {
		if t := r.tryCode(r.target.Web, code); t.Status == http.StatusOK {
			won.Add(1)
			access.Store(t.AccessToken)
		}
	})
	r.must(won.Load() == 1, "%d of 20 succeeded", won.Load())
	token, _ := access.Load().(string)
	r.dead(token, "a race is a replay, so the winner's token must be dead")
}

func guessing(r *run) {
	b := r.browser()
	seen := map[string]bool{}
	for range 3 {
		code := b.code(r.target.Web)
		t := r.redeem(r.target.Web, code)
		for _, secret := range []string{code, t.AccessToken} {
			r.must(len(secret) >= 22 && strong(secret), "a code or token of %d characters can be guessed", len(secret))
			r.must(!seen[secret], "a code or token was issued twice")
			seen[secret] = true
		}
	}
	u, err := url.Parse(r.target.Issuer)
	r.must(err == nil, "the issuer is no address")
	strongest := 0
	for _, cookie := range b.robot.Jar.Cookies(u) {
		strongest = max(strongest, len(cookie.Value))
	}
	r.must(strongest >= 22, "no cookie of the session has 128 bits")
	for range 3 {
		r.dead(random(43), "a made-up token")
		r.tokenRefused(r.tryCode(r.target.Web, random(43)), http.StatusBadRequest, "invalid_grant")
	}
}

func pkceAttacks() []Check {
	return []Check{
		{Name: "attack/29-public-client-without-pkce", Says: "A client without a secret must use PKCE.", do: func(r *run) {
			r.needs("public client", r.target.Public.ID != "")
			r.refusedBy(r.request(r.target.Public, code()), "invalid_request")
		}},
		{Name: "attack/30-pkce-method", Says: "plain, an empty and an unknown method are refused.", do: func(r *run) {
			for _, method := range []string{"plain", "", "S512", "s256"} {
				q := r.request(r.target.Web, code(), "code_challenge", challenge(random(64)), "code_challenge_method", method)
				r.refusedBy(q, "invalid_request")
			}
		}},
		{Name: "attack/31-pkce-form", Says: "A challenge or verifier of another form is refused.", do: pkceForm},
		{Name: "attack/32-wrong-verifier", Says: "A wrong verifier burns the code.", do: func(r *run) {
			verifier := random(64)
			code := r.browser().code(r.target.Web, "code_challenge", challenge(verifier), "code_challenge_method", "S256")
			r.tokenRefused(r.tryCode(r.target.Web, code, "code_verifier", random(64)), http.StatusBadRequest, "invalid_grant")
			r.tokenRefused(r.tryCode(r.target.Web, code, "code_verifier", verifier), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/33-pkce-stripped", Says: "A verifier without an earlier challenge is refused.", do: func(r *run) {
			code := r.browser().code(r.target.Web)
			r.tokenRefused(r.tryCode(r.target.Web, code, "code_verifier", random(64)), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/34-verifier-missing", Says: "A challenge wants its verifier, whatever secret the client has.", do: func(r *run) {
			code := r.browser().code(r.target.Web, "code_challenge", challenge(random(64)), "code_challenge_method", "S256")
			r.tokenRefused(r.tryCode(r.target.Web, code), http.StatusBadRequest, "invalid_grant")
		}},
		{Name: "attack/35-stolen-code-injected", Says: "A stolen code fails by PKCE in the attacker's session, and nonce comes back as it was.", do: stolenCode},
	}
}

func pkceForm(r *run) {
	for _, bad := range []string{"short", random(42), random(129), random(43) + "+", random(43) + "=", strings.Repeat("é", 43)} {
		r.refusedBy(r.request(r.target.Web, code(), "code_challenge", bad, "code_challenge_method", "S256"), "invalid_request")
		code := r.browser().code(r.target.Web, "code_challenge", challenge(bad), "code_challenge_method", "S256")
		t := r.tryCode(r.target.Web, code, "code_verifier", bad)
		r.must(t.Status == http.StatusBadRequest && slices.Contains([]string{"invalid_grant", "invalid_request"}, t.Error), "the verifier %q is answered by %d %s", robot.Excerpt(bad), t.Status, t.Error)
	}
}

func stolenCode(r *run) {
	mine, theirs := random(64), random(64)
	stolen := r.browser().code(r.target.Web, "code_challenge", challenge(theirs), "code_challenge_method", "S256")
	r.tokenRefused(r.tryCode(r.target.Web, stolen, "code_verifier", mine), http.StatusBadRequest, "invalid_grant")
	for _, nonce := range []string{`odd "nonce" \ + %20 é`, random(200)} {
		q := r.request(r.target.Web, code(), "nonce", nonce)
		a := r.browser().signIn(q)
		r.good(a, q)
		r.idToken(r.redeem(r.target.Web, a.Get("code")).IDToken, r.target.Web, q)
	}
}

func implicitAttacks() []Check {
	return []Check{
		{Name: "attack/37-access-token-in-front-channel", Says: "An access token in the front channel is for clients alone that are configured for it.", do: func(r *run) {
			r.needs("public client", r.target.Public.ID != "")
			for _, t := range []string{"token", "id_token token", "code token"} {
				q := r.request(r.target.Public, variant{responseType: t}, "code_challenge", challenge(random(64)), "code_challenge_method", "S256")
				r.refusedBy(q, "unsupported_response_type", "unauthorized_client")
			}
		}},
		{Name: "attack/38-hashes", Says: "at_hash and c_hash are there and right wherever they are due.", do: func(r *run) {
			for _, t := range r.types("id_token token", "code id_token", "code id_token token") {
				r.happy(r.browser(), r.target.Web, variant{responseType: t})
			}
			o := r.happy(r.browser(), r.target.Web, code())
			r.hashes(o.claims, o.tokens.AccessToken, "", false)
		}},
		{Name: "attack/41-token-of-another-client", Says: "An ID token of one client is no hint for another.", do: anotherClientsToken},
		{Name: "attack/42-client-as-person", Says: "No client gets a token for itself that could pass for a person's.", do: func(r *run) {
			t := r.exchange(r.target.Web, url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}})
			r.must(t.Status == http.StatusBadRequest && slices.Contains([]string{"unsupported_grant_type", "unauthorized_client"}, t.Error), "client_credentials is answered by %d %s", t.Status, t.Error)
		}},
		{Name: "attack/43-subjects", Says: "A person's sub is the same everywhere and always, and nobody else's.", do: subjects},
	}
}

func anotherClientsToken(r *run) {
	r.needs("other client", r.target.Other.ID != "")
	b := r.browser()
	o := r.happy(b, r.target.Web, code())
	r.must(audience(o.claims["aud"], r.target.Web.ID) && !audience(o.claims["aud"], r.target.Other.ID), "aud is %v", o.claims["aud"])
	q := r.request(r.target.Other, code(), "prompt", "none", "id_token_hint", o.idText)
	a := b.silent(q)
	r.must(a.Get("error") != "" && !a.Has("code"), "the hint of another client is answered with %s", strings.Join(names(a.Values), ", "))
}

func subjects(r *run) {
	first := r.happy(r.browser(), r.target.Web, code())
	again := r.happy(r.browser(), r.target.Web, code())
	r.must(first.claims["sub"] == again.claims["sub"], "sub differs between two sign-ins of one person")
	r.needs("second person", r.target.Else.Username != "")
	q := r.request(r.target.Web, code())
	o := r.complete(r.target.Web, q, r.browser().signInAs(r.target.Else, q))
	r.must(o.claims["sub"] != first.claims["sub"], "two people have one sub")
}
