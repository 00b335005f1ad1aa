package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
)

func tokenAttacks() []Check {
	return []Check{
		{Name: "attack/46-caching", Requirement: "No answer that holds a token or a claim is stored by anybody.", do: checkCaching},
		{Name: "attack/47-access-token-in-url", Requirement: "An access token in an address is refused.", do: func(r *run) {
			t := r.obtainTokens(r.browser())
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				res := r.fetch(method, appendQuery(r.metadata().UserinfoEndpoint, "access_token="+url.QueryEscape(t.AccessToken)), nil)
				r.require(res.Status >= 400 && res.Status < 500, "%s with the token in the address answers %d", method, res.Status)
			}
		}},
		{Name: "attack/48-token-sent-twice", Requirement: "A token that is sent in two ways is refused.", do: func(r *run) {
			t := r.obtainTokens(r.browser())
			res := r.fetch(http.MethodPost, r.metadata().UserinfoEndpoint, url.Values{"access_token": {t.AccessToken}}, setBearer(t.AccessToken))
			r.require(res.Status == http.StatusBadRequest, "a token in header and body answers %d", res.Status)
		}},
		{Name: "attack/49-bad-token-at-userinfo", Requirement: "A token that is no good gets 401 and WWW-Authenticate.", do: checkBadAccessToken},
		{Name: "attack/50-token-at-another-audience", Requirement: "Whoever a token was not issued to learns nothing of it.", do: checkOtherAudience},
		{Name: "attack/51-introspection-unauthenticated", Requirement: "Introspection is for clients that authenticate, and inactive says nothing more.", do: checkIntrospectionAuth},
		{Name: "attack/52-revoking-anothers-token", Requirement: "A client cannot revoke another's token; an unknown one is no error.", do: checkForeignRevocation},
	}
}

func checkCaching(r *run) {
	t := r.obtainTokens(r.browser())
	noStore := func(what string, h http.Header) {
		r.require(strings.Contains(h.Get("Cache-Control"), "no-store"), "%s has Cache-Control %q", what, h.Get("Cache-Control"))
	}
	noStore("the token answer", t.Header)
	noStore("userinfo", r.fetchUserinfo(t.AccessToken).Header)
	noStore("a refusal of userinfo", r.fetchUserinfo("nonsense").Header)
	if r.metadata().IntrospectionEndpoint != "" {
		form := url.Values{"token": {t.AccessToken}}
		noStore("introspection", r.fetch(http.MethodPost, r.metadata().IntrospectionEndpoint, form, r.authenticateClient(r.target.Web, form)).Header)
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
	for why, token := range map[string]string{"made up": randomString(40), "changed at its end": changed, "an ID token": other.IDToken, "a code": b.obtainCode(r.target.Web)} {
		res := r.fetchUserinfo(token)
		r.require(res.Status == http.StatusUnauthorized, "%s answers %d", why, res.Status)
		r.require(strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"), "%s: WWW-Authenticate is %q", why, res.Header.Get("WWW-Authenticate"))
	}
	res := r.fetch(http.MethodGet, r.metadata().UserinfoEndpoint, nil)
	r.require(res.Status == http.StatusUnauthorized && strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"), "no token answers %d", res.Status)
	r.require(!strings.Contains(res.Header.Get("WWW-Authenticate"), "error="), "an error is named where no token was sent (RFC 6750 section 3.1)")
	res = r.fetch(http.MethodGet, r.metadata().UserinfoEndpoint, nil, func(req *http.Request) { req.SetBasicAuth("a", t.AccessToken) })
	r.require(res.Status >= 400, "a token as a Basic password answers %d", res.Status)
}

// introspectToken asks about a token as a client.
func (r *run) introspectToken(c Client, token string) map[string]any {
	form := url.Values{"token": {token}}
	res := r.fetch(http.MethodPost, r.metadata().IntrospectionEndpoint, form, r.authenticateClient(c, form))
	r.require(res.Status == http.StatusOK, "introspection answers %d: %s", res.Status, robot.Excerpt(res.Body))
	return r.decodeObject(res)
}

func checkOtherAudience(r *run) {
	r.skipWithout("introspection_endpoint", r.metadata().IntrospectionEndpoint != "")
	r.skipWithout("other client", r.target.Other.ID != "")
	t := r.obtainTokens(r.browser())
	own := r.introspectToken(r.target.Web, t.AccessToken)
	r.require(own["active"] == true, "the token's own client is told %v", own)
	r.require(own["aud"] == nil || hasAudience(own["aud"], r.target.Web.ID), "aud is %v", own["aud"])
	stranger := r.introspectToken(r.target.Other, t.AccessToken)
	r.require(stranger["active"] == false && len(stranger) == 1, "a stranger is told %v", stranger)
}

func checkIntrospectionAuth(r *run) {
	r.skipWithout("introspection_endpoint", r.metadata().IntrospectionEndpoint != "")
	t := r.obtainTokens(r.browser())
	post := func(form url.Values) *robot.Page {
		return r.fetch(http.MethodPost, r.metadata().IntrospectionEndpoint, form)
	}
	r.require(post(url.Values{"token": {t.AccessToken}}).Status == http.StatusUnauthorized, "introspection answers somebody who has not said who they are")
	r.require(post(url.Values{"token": {t.AccessToken}, "client_id": {r.target.Web.ID}}).Status == http.StatusUnauthorized, "introspection answers a client that has not proved who it is")
	if r.target.Public.ID != "" {
		res := post(url.Values{"token": {t.AccessToken}, "client_id": {r.target.Public.ID}})
		r.require(res.Status == http.StatusUnauthorized || !strings.Contains(res.Body, `"active":true`), "introspection answers a public client")
		// Not about its own token either: whoever found that could scan with it.
		verifier := randomString(64)
		own := r.redeemCode(r.target.Public, r.browser().obtainCode(r.target.Public, "code_challenge", pkceChallenge(verifier), "code_challenge_method", "S256"), "code_verifier", verifier)
		res = post(url.Values{"token": {own.AccessToken}, "client_id": {r.target.Public.ID}})
		r.require(res.Status == http.StatusUnauthorized, "introspection answers %d to a client that cannot prove who it is", res.Status)
	}
	for _, token := range []string{"nonsense", randomString(43), t.IDToken} {
		got := r.introspectToken(r.target.Web, token)
		r.require(got["active"] == false && len(got) == 1, "an inactive token is described: %v", got)
	}
}

// revokeToken asks for the end of a token.
func (r *run) revokeToken(c Client, token string) *robot.Page {
	form := url.Values{"token": {token}}
	return r.fetch(http.MethodPost, r.metadata().RevocationEndpoint, form, r.authenticateClient(c, form))
}

func checkForeignRevocation(r *run) {
	r.skipWithout("revocation_endpoint", r.metadata().RevocationEndpoint != "")
	r.skipWithout("other client", r.target.Other.ID != "")
	t := r.obtainTokens(r.browser())
	r.revokeToken(r.target.Other, t.AccessToken)
	r.requireActive(t.AccessToken, "another client's revocation must do nothing")
	res := r.fetch(http.MethodPost, r.metadata().RevocationEndpoint, url.Values{"token": {t.AccessToken}})
	r.require(res.Status == http.StatusUnauthorized || res.Status == http.StatusBadRequest, "revocation answers %d to somebody who has not said who they are", res.Status)
	r.requireActive(t.AccessToken, "a stranger's revocation must do nothing")
	unknown := r.revokeToken(r.target.Web, randomString(43))
	r.require(unknown.Status == http.StatusOK, "an unknown token answers %d (RFC 7009 section 2.2)", unknown.Status)
	own := r.revokeToken(r.target.Web, t.AccessToken)
	r.require(own.Status == http.StatusOK, "the client's own token answers %d", own.Status)
	r.requireRevoked(t.AccessToken, "a revoked token must be dead")
}
