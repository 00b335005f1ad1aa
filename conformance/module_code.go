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
		{"oidcc-codereuse", "A code that comes back at once is refused.", hasCode, false, func(r *run, v variant) {
			flow := r.runFlow(r.browser(), r.target.Web, v)
			again := r.sendCode(r.target.Web, flow.response.Get("code"))
			if again.Status == http.StatusOK { // the suite forgives this as long as nobody has waited
				r.warnUnless(false, "the code worked twice")
				return
			}
			r.requireTokenError(again, http.StatusBadRequest, "invalid_grant")
		}},
		{"oidcc-codereuse-30seconds", "A code that comes back after 30 seconds is refused, and what it gave ends.", hasCode, true, func(r *run, v variant) {
			flow := r.runFlow(r.browser(), r.target.Web, v)
			r.passTime(30 * time.Second)
			r.requireTokenError(r.sendCode(r.target.Web, flow.response.Get("code")), http.StatusBadRequest, "invalid_grant")
			res := r.fetchUserinfo(flow.tokens.AccessToken)
			r.warnUnless(res.Status >= 400 && res.Status < 500, "the access token of the code still works (%d)", res.Status)
		}},
		{"oidcc-server-client-secret-post", "A client may authenticate in the body.", hasCode, false, func(r *run, v variant) {
			r.skipWithout("client with client_secret_post", r.target.Post.ID != "")
			r.runFlow(r.browser(), r.target.Post, v)
		}},
		{"oidcc-ensure-request-with-valid-pkce-succeeds", "PKCE with S256 works.", hasCode, false, func(r *run, v variant) {
			verifier := randomString(64)
			request := r.newRequest(r.target.Web, v, "code_challenge", pkceChallenge(verifier), "code_challenge_method", "S256")
			r.finishFlow(r.target.Web, request, r.browser().signIn(request), "code_verifier", verifier)
		}},
		{"oidcc-refresh-token", "A refresh token gives new tokens about the same sign-in, to its own client alone.", hasCode, false, oidccRefreshToken},
	}
}

// pkceChallenge is the S256 challenge of a verifier.
func pkceChallenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// runOfflineFlow signs in so that a refresh token is due, or skips the check where the
// provider has none.
func (r *run) runOfflineFlow(b *browser, c Client, v variant, changes ...string) flowResult {
	if !slices.Contains(r.metadata().ScopesSupported, "offline_access") {
		r.warnUnless(!slices.Contains(r.metadata().GrantTypesSupported, "refresh_token"), "refresh_token is among grant_types_supported, but the scope offline_access is not supported")
		r.skipCheck("the provider does not support offline_access")
	}
	flow := r.runFlow(b, c, v, append([]string{"scope", "openid offline_access", "prompt", "consent"}, changes...)...)
	if flow.tokens.RefreshToken == "" {
		r.warnUnless(!slices.Contains(r.metadata().GrantTypesSupported, "refresh_token"), "refresh_token is among grant_types_supported, but offline_access gave none")
		r.skipCheck("offline_access gave no refresh token")
	}
	return flow
}

// sendRefreshToken spends a refresh token as the client, for better or worse.
func (r *run) sendRefreshToken(c Client, token string, changes ...string) tokens {
	return r.requestTokens(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, changes...)
}

// requireRefreshed demands good tokens.
func (r *run) requireRefreshed(t tokens) tokens {
	r.require(t.Status == http.StatusOK, "the refresh token was refused with %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.require(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"), "the token answer is %q, not JSON", t.Header.Get("Content-Type"))
	r.require(strings.Contains(t.Header.Get("Cache-Control"), "no-store"), "the token answer lacks Cache-Control: no-store")
	r.require(strings.EqualFold(t.TokenType, "Bearer"), "token_type is %q", t.TokenType)
	r.require(t.ExpiresIn == nil || *t.ExpiresIn > 0 && *t.ExpiresIn <= longestToken, "expires_in is out of range")
	r.require(isUnguessable(t.AccessToken) && (t.RefreshToken == "" || isUnguessable(t.RefreshToken)), "a token can be guessed")
	return t
}

func oidccRefreshToken(r *run, v variant) {
	r.skipWithout("other client", r.target.Other.ID != "")
	b := r.browser()
	flow := r.runOfflineFlow(b, r.target.Web, v)
	r.warnUnless(slices.Contains(r.metadata().GrantTypesSupported, "refresh_token"), "grant_types_supported lacks refresh_token")
	r.passTime(2 * time.Second)
	t := r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
	r.requireActive(t.AccessToken, "the new access token must work")
	if t.IDToken != "" {
		request := url.Values{} // a refreshed ID token need not repeat the nonce, which sameSignin looks at
		if nonce, has := decodeClaims(t.IDToken)["nonce"].(string); has {
			request.Set("nonce", nonce)
		}
		r.requireSameSignIn(flow.claims, r.verifyIDToken(t.IDToken, r.target.Web, request))
	}
	other := r.runOfflineFlow(b, r.target.Other, v)
	r.requireTokenError(r.sendRefreshToken(r.target.Web, other.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
}

// requireSameSignIn demands that a refreshed ID token is about the sign-in of the first
// (OIDC Core section 12.2).
func (r *run) requireSameSignIn(before, after map[string]any) {
	for _, name := range []string{"iss", "sub", "aud", "azp", "auth_time"} {
		r.require(equalJSON(before[name], after[name]), "%s was %v and is now %v", name, before[name], after[name])
	}
	r.require(r.requireNumber(after, "iat") > r.requireNumber(before, "iat"), "iat is not new")
	if nonce, has := after["nonce"]; has {
		r.require(nonce == before["nonce"], "nonce was %v and is now %v", before["nonce"], nonce)
	}
}

// equalJSON compares claims, which may be lists.
func equalJSON(response, b any) bool {
	x, isList := response.([]any)
	y, too := b.([]any)
	if isList && too {
		return slices.Equal(x, y)
	}
	return !isList && !too && response == b
}
