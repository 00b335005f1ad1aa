package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
)

func tokenAttacks() []Check {
	return []Check{
		{
			Name:        "attack/46-caching",
			Requirement: "No response with a token or a claim may be stored.",
			do:          checkCaching,
		},
		{Name: "attack/47-access-token-in-url", Requirement: "An access token in a URL is rejected.", do: func(r *run) {
			t := r.obtainTokens(r.browser())
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				res := r.fetch(method, appendQuery(r.metadata().UserinfoEndpoint, "access_token="+url.QueryEscape(t.AccessToken)),
					nil)
				r.require(res.Status >= 400 && res.Status < 500, "%s with the token in the URL returned %d", method, res.Status)
			}
		}},
		{Name: "attack/48-token-sent-twice", Requirement: "A token that is sent in two ways is rejected.", do: func(r *run) {
			t := r.obtainTokens(r.browser())
			res := r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, url.Values{"access_token": {t.AccessToken}},
				setBearer(t.AccessToken))
			r.require(res.Status == http.StatusBadRequest, "a token in header and body returned %d", res.Status)
		}},
		{
			Name:        "attack/49-bad-token-at-userinfo",
			Requirement: "An invalid token gets 401 and WWW-Authenticate.",
			do:          checkBadAccessToken,
		},
		{
			Name:        "attack/50-token-at-another-audience",
			Requirement: "Clients learn nothing about tokens of other clients.",
			do:          checkOtherAudience,
		},
		{
			Name:        "attack/51-introspection-unauthenticated",
			Requirement: "Introspection requires authentication, and an inactive response has no other member.",
			do:          checkIntrospectionAuth,
		},
		{
			Name:        "attack/52-revoking-anothers-token",
			Requirement: "A client cannot revoke tokens of other clients; an unknown token is not an error.",
			do:          checkForeignRevocation,
		},
	}
}

func checkCaching(r *run) {
	t := r.obtainTokens(r.browser())
	noStore := func(what string, h http.Header) {
		r.require(strings.Contains(h.Get("Cache-Control"), "no-store"),
			"%s has Cache-Control %q", what, h.Get("Cache-Control"))
	}
	noStore("the token response", t.Header)
	noStore("userinfo", r.fetchUserinfo(t.AccessToken).Header)
	noStore("an error of userinfo", r.fetchUserinfo("nonsense").Header)
	if r.metadata().IntrospectionEndpoint != "" {
		form := url.Values{"token": {t.AccessToken}}
		noStore("introspection",
			r.fetch(http.MethodPost, r.metadata().IntrospectionEndpoint, form, r.authenticateClient(r.target.Web, form)).Header)
	}
	b := r.browser()
	b.obtainCode(r.target.Web)
	answered := b.sendOnce(http.MethodGet, r.authorizationURL(r.newRequest(r.target.Web, codeFlow())), nil)
	noStore("the redirect with a code", answered.Header)
}

func checkBadAccessToken(r *run) {
	b := r.browser()
	t := r.obtainTokens(b)
	other := r.redeemCode(r.target.Web, b.obtainCode(r.target.Web))
	changed := t.AccessToken[:len(t.AccessToken)-2] + "AA"
	for why, token := range map[string]string{
		"made up":            randomString(40),
		"changed at its end": changed,
		"an ID token":        other.IDToken,
		"a code":             b.obtainCode(r.target.Web),
	} {
		res := r.fetchUserinfo(token)
		r.require(res.Status == http.StatusUnauthorized, "%s returned %d", why, res.Status)
		r.require(strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"),
			"%s: WWW-Authenticate is %q", why, res.Header.Get("WWW-Authenticate"))
	}
	res := r.fetch(http.MethodGet, r.metadata().UserinfoEndpoint, nil)
	r.require(res.Status == http.StatusUnauthorized && strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"),
		"no token returned %d", res.Status)
	r.require(!strings.Contains(res.Header.Get("WWW-Authenticate"), "error="),
		"WWW-Authenticate has an error although no token was sent (RFC 6750 section 3.1)")
	res = r.fetch(http.MethodGet, r.metadata().UserinfoEndpoint, nil,
		func(req *http.Request) { req.SetBasicAuth("a", t.AccessToken) })
	r.require(res.Status >= 400, "a token as a Basic password returned %d", res.Status)
}

// introspectToken introspects a token as a client.
func (r *run) introspectToken(c Client, token string) map[string]any {
	form := url.Values{"token": {token}}
	res := r.fetch(http.MethodPost, r.metadata().IntrospectionEndpoint, form, r.authenticateClient(c, form))
	r.require(res.Status == http.StatusOK, "introspection returned %d: %s", res.Status, robot.Excerpt(res.Body))
	return r.decodeObject(res)
}

func checkOtherAudience(r *run) {
	r.skipWithout("introspection_endpoint", r.metadata().IntrospectionEndpoint != "")
	r.skipWithout("other client", r.target.Other.ID != "")
	t := r.obtainTokens(r.browser())
	own := r.introspectToken(r.target.Web, t.AccessToken)
	r.require(own["active"] == true, "the token's own client is told %v", own)
	r.require(own["aud"] == nil || hasAudience(own["aud"], r.target.Web.ID), "aud is %v", own["aud"])
	other := r.introspectToken(r.target.Other, t.AccessToken)
	r.require(other["active"] == false && len(other) == 1, "another client gets %v", other)
}

func checkIntrospectionAuth(r *run) {
	r.skipWithout("introspection_endpoint", r.metadata().IntrospectionEndpoint != "")
	t := r.obtainTokens(r.browser())
	post := func(form url.Values) *robot.Page {
		return r.fetch(http.MethodPost, r.metadata().IntrospectionEndpoint, form)
	}
	r.require(post(url.Values{"token": {t.AccessToken}}).Status == http.StatusUnauthorized,
		"introspection works without authentication")
	r.require(post(url.Values{"token": {t.AccessToken}, "client_id": {r.target.Web.ID}}).Status == http.StatusUnauthorized,
		"introspection works with only a client_id")
	if r.target.Public.ID != "" {
		res := post(url.Values{"token": {t.AccessToken}, "client_id": {r.target.Public.ID}})
		r.require(res.Status == http.StatusUnauthorized || !strings.Contains(res.Body, `"active":true`),
			"introspection works for a public client")
		// Not even about its own tokens: otherwise a stolen client_id could be
		// used to test tokens.
		verifier := randomString(64)
		own := r.redeemCode(r.target.Public,
			r.browser().obtainCode(r.target.Public, "code_challenge", pkce.Challenge(verifier), "code_challenge_method",
				"S256"), "code_verifier", verifier)
		res = post(url.Values{"token": {own.AccessToken}, "client_id": {r.target.Public.ID}})
		r.require(res.Status == http.StatusUnauthorized,
			"introspection by a public client returned %d", res.Status)
	}
	for _, token := range []string{"nonsense", randomString(43), t.IDToken} {
		got := r.introspectToken(r.target.Web, token)
		r.require(got["active"] == false && len(got) == 1, "an inactive token is described: %v", got)
	}
}

// revokeToken revokes a token as a client.
func (r *run) revokeToken(c Client, token string) *robot.Page {
	form := url.Values{"token": {token}}
	return r.fetch(http.MethodPost, r.metadata().RevocationEndpoint, form, r.authenticateClient(c, form))
}

func checkForeignRevocation(r *run) {
	r.skipWithout("revocation_endpoint", r.metadata().RevocationEndpoint != "")
	r.skipWithout("other client", r.target.Other.ID != "")
	t := r.obtainTokens(r.browser())
	r.revokeToken(r.target.Other, t.AccessToken)
	r.requireActive(t.AccessToken, "after a revocation by another client")
	res := r.fetch(http.MethodPost, r.metadata().RevocationEndpoint, url.Values{"token": {t.AccessToken}})
	r.require(res.Status == http.StatusUnauthorized || res.Status == http.StatusBadRequest,
		"revocation without authentication returned %d", res.Status)
	r.requireActive(t.AccessToken, "after a revocation without authentication")
	unknown := r.revokeToken(r.target.Web, randomString(43))
	r.require(unknown.Status == http.StatusOK, "an unknown token returned %d (RFC 7009 section 2.2)", unknown.Status)
	own := r.revokeToken(r.target.Web, t.AccessToken)
	r.require(own.Status == http.StatusOK, "the client's own token returned %d", own.Status)
	r.requireRevoked(t.AccessToken, "after the revocation")
}
