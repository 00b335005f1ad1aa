package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
)

func tokenAttacks() []Check {
	return []Check{
		{Name: "attack/46-caching", Says: "No answer that holds a token or a claim is stored by anybody.", do: caching},
		{Name: "attack/47-access-token-in-url", Says: "An access token in an address is refused.", do: func(r *run) {
			t := r.tokensOf(r.browser())
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				res := r.fetch(method, withQuery(r.meta().UserinfoEndpoint, "access_token="+url.QueryEscape(t.AccessToken)), nil)
				r.must(res.Status >= 400 && res.Status < 500, "%s with the token in the address answers %d", method, res.Status)
			}
		}},
		{Name: "attack/48-token-sent-twice", Says: "A token that is sent in two ways is refused.", do: func(r *run) {
			t := r.tokensOf(r.browser())
			res := r.fetch(http.MethodPost, r.meta().UserinfoEndpoint, url.Values{"access_token": {t.AccessToken}}, bearer(t.AccessToken))
			r.must(res.Status == http.StatusBadRequest, "a token in header and body answers %d", res.Status)
		}},
		{Name: "attack/49-bad-token-at-userinfo", Says: "A token that is no good gets 401 and WWW-Authenticate.", do: badTokenAtUserinfo},
		{Name: "attack/50-token-at-another-audience", Says: "Whoever a token was not issued to learns nothing of it.", do: anotherAudience},
		{Name: "attack/51-introspection-unauthenticated", Says: "Introspection is for clients that authenticate, and inactive says nothing more.", do: introspectionClosed},
		{Name: "attack/52-revoking-anothers-token", Says: "A client cannot revoke another's token; an unknown one is no error.", do: revokeAnothers},
	}
}

func caching(r *run) {
	t := r.tokensOf(r.browser())
	noStore := func(what string, h http.Header) {
		r.must(strings.Contains(h.Get("Cache-Control"), "no-store"), "%s has Cache-Control %q", what, h.Get("Cache-Control"))
	}
	noStore("the token answer", t.Header)
	noStore("userinfo", r.userinfo(t.AccessToken).Header)
	noStore("a refusal of userinfo", r.userinfo("nonsense").Header)
	if r.meta().IntrospectionEndpoint != "" {
		form := url.Values{"token": {t.AccessToken}}
		noStore("introspection", r.fetch(http.MethodPost, r.meta().IntrospectionEndpoint, form, r.authenticates(r.target.Web, form)).Header)
	}
	b := r.browser()
	b.code(r.target.Web)
	answered := b.once(http.MethodGet, r.at(r.request(r.target.Web, code())), nil)
	noStore("the redirect with a code", answered.Header)
}

func badTokenAtUserinfo(r *run) {
	b := r.browser()
	t := r.tokensOf(b)
	other := r.redeem(r.target.Web, b.code(r.target.Web))
	changed := t.AccessToken[:len(t.AccessToken)-2] + "AA"
	for why, token := range map[string]string{"made up": random(40), "changed at its end": changed, "an ID token": other.IDToken, "a code": b.code(r.target.Web)} {
		res := r.userinfo(token)
		r.must(res.Status == http.StatusUnauthorized, "%s answers %d", why, res.Status)
		r.must(strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"), "%s: WWW-Authenticate is %q", why, res.Header.Get("WWW-Authenticate"))
	}
	res := r.fetch(http.MethodGet, r.meta().UserinfoEndpoint, nil)
	r.must(res.Status == http.StatusUnauthorized && strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"), "no token answers %d", res.Status)
	r.must(!strings.Contains(res.Header.Get("WWW-Authenticate"), "error="), "an error is named where no token was sent (RFC 6750 section 3.1)")
	res = r.fetch(http.MethodGet, r.meta().UserinfoEndpoint, nil, func(req *http.Request) { req.SetBasicAuth("a", t.AccessToken) })
	r.must(res.Status >= 400, "a token as a Basic password answers %d", res.Status)
}

// inspect asks about a token as a client.
func (r *run) inspect(c Client, token string) map[string]any {
	form := url.Values{"token": {token}}
	res := r.fetch(http.MethodPost, r.meta().IntrospectionEndpoint, form, r.authenticates(c, form))
	r.must(res.Status == http.StatusOK, "introspection answers %d: %s", res.Status, robot.Excerpt(res.Body))
	return r.object(res)
}

func anotherAudience(r *run) {
	r.needs("introspection_endpoint", r.meta().IntrospectionEndpoint != "")
	r.needs("other client", r.target.Other.ID != "")
	t := r.tokensOf(r.browser())
	own := r.inspect(r.target.Web, t.AccessToken)
	r.must(own["active"] == true, "the token's own client is told %v", own)
	r.must(own["aud"] == nil || audience(own["aud"], r.target.Web.ID), "aud is %v", own["aud"])
	stranger := r.inspect(r.target.Other, t.AccessToken)
	r.must(stranger["active"] == false && len(stranger) == 1, "a stranger is told %v", stranger)
}

func introspectionClosed(r *run) {
	r.needs("introspection_endpoint", r.meta().IntrospectionEndpoint != "")
	t := r.tokensOf(r.browser())
	post := func(form url.Values) *robot.Page {
		return r.fetch(http.MethodPost, r.meta().IntrospectionEndpoint, form)
	}
	r.must(post(url.Values{"token": {t.AccessToken}}).Status == http.StatusUnauthorized, "introspection answers somebody who has not said who they are")
	r.must(post(url.Values{"token": {t.AccessToken}, "client_id": {r.target.Web.ID}}).Status == http.StatusUnauthorized, "introspection answers a client that has not proved who it is")
	if r.target.Public.ID != "" {
		res := post(url.Values{"token": {t.AccessToken}, "client_id": {r.target.Public.ID}})
		r.must(res.Status == http.StatusUnauthorized || !strings.Contains(res.Body, `"active":true`), "introspection answers a public client")
		// Not about its own token either: whoever found that could scan with it.
		verifier := random(64)
		own := r.redeem(r.target.Public, r.browser().code(r.target.Public, "code_challenge", challenge(verifier), "code_challenge_method", "S256"), "code_verifier", verifier)
		res = post(url.Values{"token": {own.AccessToken}, "client_id": {r.target.Public.ID}})
		r.must(res.Status == http.StatusUnauthorized, "introspection answers %d to a client that cannot prove who it is", res.Status)
	}
	for _, token := range []string{"nonsense", random(43), t.IDToken} {
		got := r.inspect(r.target.Web, token)
		r.must(got["active"] == false && len(got) == 1, "an inactive token is described: %v", got)
	}
}

// revoke asks for the end of a token.
func (r *run) revoke(c Client, token string) *robot.Page {
	form := url.Values{"token": {token}}
	return r.fetch(http.MethodPost, r.meta().RevocationEndpoint, form, r.authenticates(c, form))
}

func revokeAnothers(r *run) {
	r.needs("revocation_endpoint", r.meta().RevocationEndpoint != "")
	r.needs("other client", r.target.Other.ID != "")
	t := r.tokensOf(r.browser())
	r.revoke(r.target.Other, t.AccessToken)
	r.alive(t.AccessToken, "another client's revocation must do nothing")
	res := r.fetch(http.MethodPost, r.meta().RevocationEndpoint, url.Values{"token": {t.AccessToken}})
	r.must(res.Status == http.StatusUnauthorized || res.Status == http.StatusBadRequest, "revocation answers %d to somebody who has not said who they are", res.Status)
	r.alive(t.AccessToken, "a stranger's revocation must do nothing")
	unknown := r.revoke(r.target.Web, random(43))
	r.must(unknown.Status == http.StatusOK, "an unknown token answers %d (RFC 7009 section 2.2)", unknown.Status)
	own := r.revoke(r.target.Web, t.AccessToken)
	r.must(own.Status == http.StatusOK, "the client's own token answers %d", own.Status)
	r.dead(t.AccessToken, "a revoked token must be dead")
}
