package conformance

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpbridge/internal/robot"
)

// codeModules are about the token endpoint.
func codeModules() []module {
	return []module{
		{"oidcc-codereuse", "A code that comes back at once is refused.", coded, false, func(r *run, v variant) {
			o := r.happy(r.browser(), r.target.Web, v)
			again := r.tryCode(r.target.Web, o.answer.Get("code"))
			if again.Status == http.StatusOK { // the suite forgives this as long as nobody has waited
				r.should(false, "the code worked twice")
				return
			}
			r.tokenRefused(again, http.StatusBadRequest, "invalid_grant")
		}},
		{"oidcc-codereuse-30seconds", "A code that comes back after 30 seconds is refused, and what it gave ends.", coded, true, func(r *run, v variant) {
			o := r.happy(r.browser(), r.target.Web, v)
			r.wait(30 * time.Second)
			r.tokenRefused(r.tryCode(r.target.Web, o.answer.Get("code")), http.StatusBadRequest, "invalid_grant")
			res := r.userinfo(o.tokens.AccessToken)
			r.should(res.Status >= 400 && res.Status < 500, "the access token of the code still works (%d)", res.Status)
		}},
		{"oidcc-server-client-secret-post", "A client may authenticate in the body.", coded, false, func(r *run, v variant) {
			r.needs("client with client_secret_post", r.target.Post.ID != "")
			r.happy(r.browser(), r.target.Post, v)
		}},
		{"oidcc-ensure-request-with-valid-pkce-succeeds", "PKCE with S256 works.", coded, false, func(r *run, v variant) {
			verifier := random(64)
			q := r.request(r.target.Web, v, "code_challenge", challenge(verifier), "code_challenge_method", "S256")
			r.complete(r.target.Web, q, r.browser().signIn(q), "code_verifier", verifier)
		}},
		{"oidcc-refresh-token", "A refresh token gives new tokens about the same sign-in, to its own client alone.", coded, false, oidccRefreshToken},
	}
}

// challenge is the S256 challenge of a verifier.
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// offline signs in so that a refresh token is due, or skips the check where the
// provider has none.
func (r *run) offline(b *browser, c Client, v variant, changes ...string) outcome {
	if !slices.Contains(r.meta().ScopesSupported, "offline_access") {
		r.should(!slices.Contains(r.meta().GrantTypesSupported, "refresh_token"), "refresh_token is among grant_types_supported, but the scope offline_access is not supported")
		r.skip("the provider does not support offline_access")
	}
	o := r.happy(b, c, v, append([]string{"scope", "openid offline_access", "prompt", "consent"}, changes...)...)
	if o.tokens.RefreshToken == "" {
		r.should(!slices.Contains(r.meta().GrantTypesSupported, "refresh_token"), "refresh_token is among grant_types_supported, but offline_access gave none")
		r.skip("offline_access gave no refresh token")
	}
	return o
}

// refresh spends a refresh token as the client, for better or worse.
func (r *run) refresh(c Client, token string, changes ...string) tokens {
	return r.exchange(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, changes...)
}

// refreshed demands good tokens.
func (r *run) refreshed(t tokens) tokens {
	r.must(t.Status == http.StatusOK, "the refresh token was refused with %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.must(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"), "the token answer is %q, not JSON", t.Header.Get("Content-Type"))
	r.must(strings.Contains(t.Header.Get("Cache-Control"), "no-store"), "the token answer lacks Cache-Control: no-store")
	r.must(strings.EqualFold(t.TokenType, "Bearer"), "token_type is %q", t.TokenType)
	r.must(t.ExpiresIn == nil || *t.ExpiresIn > 0 && *t.ExpiresIn <= longestToken, "expires_in is out of range")
	r.must(strong(t.AccessToken) && (t.RefreshToken == "" || strong(t.RefreshToken)), "a token can be guessed")
	return t
}

func oidccRefreshToken(r *run, v variant) {
	r.needs("other client", r.target.Other.ID != "")
	b := r.browser()
	o := r.offline(b, r.target.Web, v)
	r.should(slices.Contains(r.meta().GrantTypesSupported, "refresh_token"), "grant_types_supported lacks refresh_token")
	r.wait(2 * time.Second)
	t := r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
	r.alive(t.AccessToken, "the new access token must work")
	if t.IDToken != "" {
		q := url.Values{} // a refreshed ID token need not repeat the nonce, which sameSignin looks at
		if nonce, has := peek(t.IDToken)["nonce"].(string); has {
			q.Set("nonce", nonce)
		}
		r.sameSignin(o.claims, r.idToken(t.IDToken, r.target.Web, q))
	}
	other := r.offline(b, r.target.Other, v)
	r.tokenRefused(r.refresh(r.target.Web, other.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
}

// sameSignin demands that a refreshed ID token is about the sign-in of the first
// (OIDC Core section 12.2).
func (r *run) sameSignin(before, after map[string]any) {
	for _, name := range []string{"iss", "sub", "aud", "azp", "auth_time"} {
		r.must(equal(before[name], after[name]), "%s was %v and is now %v", name, before[name], after[name])
	}
	r.must(r.number(after, "iat") > r.number(before, "iat"), "iat is not new")
	if nonce, has := after["nonce"]; has {
		r.must(nonce == before["nonce"], "nonce was %v and is now %v", before["nonce"], nonce)
	}
}

// equal compares claims, which may be lists.
func equal(a, b any) bool {
	x, isList := a.([]any)
	y, too := b.([]any)
	if isList && too {
		return slices.Equal(x, y)
	}
	return !isList && !too && a == b
}
