package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
)

// codeModules returns the modules about the token endpoint.
func codeModules() []module {
	return []module{
		{
			name:        "oidcc-codereuse",
			requirement: "An immediate replay of a code is rejected.",
			appliesTo:   hasCode,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				again := r.sendCode(r.target.Web, flow.response.Get("code"))
				if again.Status == http.StatusOK { // the suite accepts this for an immediate replay
					r.warnUnless(false, "the code worked twice")
					return
				}
				r.requireTokenError(again, http.StatusBadRequest, "invalid_grant")
			},
		},
		{
			name:        "oidcc-codereuse-30seconds",
			requirement: "A replay after 30 seconds is rejected and revokes the tokens of the code.",
			appliesTo:   hasCode,
			serial:      true,
			do: func(r *run, v variant) {
				flow := r.runFlow(r.browser(), r.target.Web, v)
				r.passTime(30 * time.Second)
				r.requireTokenError(r.sendCode(r.target.Web, flow.response.Get("code")), http.StatusBadRequest, "invalid_grant")
				res := r.fetchUserinfo(flow.tokens.AccessToken)
				r.warnUnless(res.Status >= 400 && res.Status < 500, "the access token of the code still works (%d)", res.Status)
			},
		},
		{
			name:        "oidcc-server-client-secret-post",
			requirement: "A client can authenticate in the body.",
			appliesTo:   hasCode,
			do: func(r *run, v variant) {
				r.skipWithout("client with client_secret_post", r.target.Post.ID != "")
				r.runFlow(r.browser(), r.target.Post, v)
			},
		},
		{
			name:        "oidcc-ensure-request-with-valid-pkce-succeeds",
			requirement: "PKCE with S256 works.",
			appliesTo:   hasCode,
			do: func(r *run, v variant) {
				verifier := randomString(64)
				request := r.newRequest(r.target.Web, v, "code_challenge", pkce.Challenge(verifier), "code_challenge_method",
					"S256")
				r.finishFlow(r.target.Web, request, r.browser().signIn(request), "code_verifier", verifier)
			},
		},
		{
			name:        "oidcc-refresh-token",
			requirement: "A refresh token gives its own client new tokens for the same sign-in.",
			appliesTo:   hasCode,
			do:          oidccRefreshToken,
		},
	}
}

// runOfflineFlow signs in with the scope offline_access. It skips the check if
// the provider has no refresh tokens.
func (r *run) runOfflineFlow(b *browser, c Client, v variant, changes ...string) flowResult {
	if !slices.Contains(r.metadata().ScopesSupported, "offline_access") {
		r.warnUnless(!slices.Contains(r.metadata().GrantTypesSupported, "refresh_token"),
			"refresh_token is among grant_types_supported, but the scope offline_access is not supported")
		r.skipCheck("the provider does not support offline_access")
	}
	flow := r.runFlow(b, c, v, append([]string{"scope", "openid offline_access", "prompt", "consent"}, changes...)...)
	if flow.tokens.RefreshToken == "" {
		r.warnUnless(!slices.Contains(r.metadata().GrantTypesSupported, "refresh_token"),
			"refresh_token is among grant_types_supported, but offline_access gave none")
		r.skipCheck("offline_access gave no refresh token")
	}
	return flow
}

// sendRefreshToken sends a refresh request as the client and returns any
// response.
func (r *run) sendRefreshToken(c Client, token string, changes ...string) tokens {
	return r.requestTokens(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}, changes...)
}

// requireRefreshed requires valid tokens from a refresh.
func (r *run) requireRefreshed(t tokens) tokens {
	r.require(t.Status == http.StatusOK,
		"the refresh token was rejected with %d %s: %s", t.Status, t.Error, robot.Excerpt(t.Body))
	r.require(strings.HasPrefix(t.Header.Get("Content-Type"), "application/json"),
		"the token response is %q, not JSON", t.Header.Get("Content-Type"))
	r.require(strings.Contains(t.Header.Get("Cache-Control"), "no-store"),
		"the token response lacks Cache-Control: no-store")
	r.require(strings.EqualFold(t.TokenType, "Bearer"), "token_type is %q", t.TokenType)
	r.require(t.ExpiresIn == nil || *t.ExpiresIn > 0 && *t.ExpiresIn <= longestToken, "expires_in is out of range")
	r.require(isUnguessable(t.AccessToken) && (t.RefreshToken == "" || isUnguessable(t.RefreshToken)),
		"a token is guessable")
	return t
}

func oidccRefreshToken(r *run, v variant) {
	r.skipWithout("other client", r.target.Other.ID != "")
	b := r.browser()
	flow := r.runOfflineFlow(b, r.target.Web, v)
	r.warnUnless(slices.Contains(r.metadata().GrantTypesSupported, "refresh_token"),
		"grant_types_supported lacks refresh_token")
	r.passTime(2 * time.Second)
	t := r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
	r.requireActive(t.AccessToken, "the new access token")
	if t.IDToken != "" {
		request := url.Values{} // a refreshed ID token need not repeat the nonce; requireSameSignIn checks it
		if nonce, has := decodeClaims(t.IDToken)["nonce"].(string); has {
			request.Set("nonce", nonce)
		}
		r.requireSameSignIn(flow.claims, r.verifyIDToken(t.IDToken, r.target.Web, request))
	}
	other := r.runOfflineFlow(b, r.target.Other, v)
	r.requireTokenError(r.sendRefreshToken(r.target.Web, other.tokens.RefreshToken), http.StatusBadRequest,
		"invalid_grant")
}

// requireSameSignIn requires that a refreshed ID token is about the same
// sign-in as the first (OIDC Core section 12.2).
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
func equalJSON(a, b any) bool {
	x, isList := a.([]any)
	y, too := b.([]any)
	if isList && too {
		return slices.Equal(x, y)
	}
	return !isList && !too && a == b
}
