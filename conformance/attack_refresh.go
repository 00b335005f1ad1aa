package conformance

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"idpbridge/internal/robot"
)

func refreshAttacks() []Check {
	return []Check{
		{Name: "attack/54-spent-refresh-token", Says: "A spent refresh token that comes back ends the family and its access tokens.", Alone: true, do: spentRefreshToken},
		{Name: "attack/55-parallel-refresh", Says: "Refreshing twice at once leads to one lineage.", do: parallelRefresh},
		{Name: "attack/56-refresh-token-of-another-client", Says: "A refresh token is its own client's, which must say who it is.", do: anothersRefreshToken},
		{Name: "attack/57-wider-scope-on-refresh", Says: "A refresh gives no scope that was not granted, and the mistake costs nothing.", do: func(r *run) {
			o := r.offline(r.browser(), r.target.Web, code())
			r.tokenRefused(r.refresh(r.target.Web, o.tokens.RefreshToken, "scope", "openid offline_access email"), http.StatusBadRequest, "invalid_scope")
			r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
		}},
		{Name: "attack/58-refresh-after-sign-out", Says: "A sign-out ends the refresh tokens of the session.", do: func(r *run) {
			r.needs("end_session_endpoint", r.meta().EndSessionEndpoint != "")
			b := r.browser()
			o := r.offline(b, r.target.Web, code())
			t := r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
			b.confirmed(b.leave(pairs("id_token_hint", o.idText)))
			r.signedOut(b, code())
			r.tokenRefused(r.refresh(r.target.Web, t.RefreshToken), http.StatusBadRequest, "invalid_grant")
			r.dead(t.AccessToken, "after the sign-out the access token must be dead")
		}},
		{Name: "attack/59-refreshed-id-token", Says: "A refreshed ID token is about the same sign-in.", do: func(r *run) {
			o := r.offline(r.browser(), r.target.Web, code())
			r.wait(2 * time.Second)
			t := r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
			if t.IDToken != "" {
				_, claims := r.open(t.IDToken)
				r.sameSignin(o.claims, claims)
			}
		}},
	}
}

func spentRefreshToken(r *run) {
	o := r.offline(r.browser(), r.target.Web, code())
	second := r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
	r.must(second.RefreshToken != "" && second.RefreshToken != o.tokens.RefreshToken, "the refresh token was not replaced")
	third := r.refreshed(r.refresh(r.target.Web, second.RefreshToken))
	r.wait(11 * time.Second) // past any grace for a lost answer
	r.tokenRefused(r.refresh(r.target.Web, o.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	r.tokenRefused(r.refresh(r.target.Web, third.RefreshToken), http.StatusBadRequest, "invalid_grant")
	for _, access := range []string{o.tokens.AccessToken, second.AccessToken, third.AccessToken} {
		r.dead(access, "after the reuse every access token of the family must be dead")
	}
}

func parallelRefresh(r *run) {
	o := r.offline(r.browser(), r.target.Web, code())
	var mu sync.Mutex
	var successors []string
	r.together(8, func(r *run, _ int) {
		if t := r.refresh(r.target.Web, o.tokens.RefreshToken); t.Status == http.StatusOK {
			mu.Lock()
			successors = append(successors, t.RefreshToken)
			mu.Unlock()
		}
	})
	slices.Sort(successors)
	r.must(len(slices.Compact(successors)) <= 1, "eight refreshes at once made more than one lineage")
	if len(successors) > 0 {
		again := r.refresh(r.target.Web, successors[0])
		r.must(again.Status == http.StatusOK || again.Error == "invalid_grant", "the successor is answered by %d %s", again.Status, again.Error)
	}
}

func anothersRefreshToken(r *run) {
	r.needs("other client", r.target.Other.ID != "")
	o := r.offline(r.browser(), r.target.Web, code())
	r.tokenRefused(r.refresh(r.target.Other, o.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {o.tokens.RefreshToken}}
	t := r.ask(r.meta().TokenEndpoint, form)
	r.must(t.Status == http.StatusUnauthorized || t.Status == http.StatusBadRequest, "a refresh without a client is answered by %d", t.Status)
	form.Set("client_id", r.target.Web.ID)
	r.tokenRefused(r.ask(r.meta().TokenEndpoint, form), http.StatusUnauthorized, "invalid_client")
}

func extraAttacks() []Check {
	return []Check{
		{Name: "extra/access-token-narrowed", Says: "A refresh with a narrower scope gives an access token that is good for no more.", do: narrowed},
		{Name: "extra/refresh-token-revoked", Says: "Revoking a refresh token ends what came of it.", do: refreshTokenRevoked},
		{Name: "extra/refresh-token-introspected", Says: "A spent refresh token is inactive, and a stranger's is always.", do: refreshTokenIntrospected},
		{Name: "extra/claims-parameter", Says: "The claims parameter is read strictly, and tells a client no more than its scopes could.", do: claimsParameter},
		{Name: "extra/logout-token-is-no-hint", Says: "A logout token is no ID token, though the same keys have signed it.", do: logoutTokenIsNoHint},
		{Name: "extra/end-session-by-post", Says: "A sign-out that is posted from another site says the truth.", do: endSessionByPost},
		{Name: "extra/hint-of-another-person-asks", Says: "A hint about somebody else signs nobody out without a question.", do: anothersHintAsks},
		{Name: "extra/par", Says: "A pushed request is what the browser then does, whatever stands beside it.", do: pushedRequest},
		{Name: "extra/par-of-another-client", Says: "A pushed request is its own client's.", do: pushedByAnother},
		{Name: "extra/par-expired", Says: "A pushed request expires.", Alone: true, do: pushedExpired},
		{Name: "extra/par-refused", Says: "A push is checked like a request, and its client authenticated.", do: pushRefused},
	}
}

func narrowed(r *run) {
	o := r.offline(r.browser(), r.target.Web, code(), "scope", "openid email offline_access")
	t := r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken, "scope", "openid"))
	r.must(!slices.Contains(strings.Fields(t.Scope), "email"), "the answer says scope %q", t.Scope)
	_, has := r.claimsOf(r.userinfo(t.AccessToken))["email"]
	r.must(!has, "userinfo tells the e-mail address without its scope")
	again := r.refreshed(r.refresh(r.target.Web, t.RefreshToken))
	_, has = r.claimsOf(r.userinfo(again.AccessToken))["email"]
	r.must(has, "a refresh without a scope parameter gives less than was granted (RFC 6749 section 6)")
	bare := r.refreshed(r.refresh(r.target.Web, again.RefreshToken, "scope", "email"))
	r.must(bare.IDToken == "", "an ID token came without openid")
	res := r.userinfo(bare.AccessToken)
	r.must(res.Status == http.StatusForbidden || res.Status == http.StatusUnauthorized, "userinfo answers %d to a token without openid", res.Status)
	r.must(strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"), "WWW-Authenticate is %q", res.Header.Get("WWW-Authenticate"))
}

func refreshTokenRevoked(r *run) {
	r.needs("revocation_endpoint", r.meta().RevocationEndpoint != "")
	o := r.offline(r.browser(), r.target.Web, code())
	if r.target.Other.ID != "" {
		r.revoke(r.target.Other, o.tokens.RefreshToken)
		r.alive(o.tokens.AccessToken, "another client's revocation must do nothing")
	}
	res := r.revoke(r.target.Web, o.tokens.RefreshToken)
	r.must(res.Status == http.StatusOK, "the revocation answers %d", res.Status)
	r.tokenRefused(r.refresh(r.target.Web, o.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	r.dead(o.tokens.AccessToken, "with the refresh token its access token must end (RFC 7009 section 2.1)")
}

func refreshTokenIntrospected(r *run) {
	r.needs("introspection_endpoint", r.meta().IntrospectionEndpoint != "")
	r.needs("other client", r.target.Other.ID != "")
	o := r.offline(r.browser(), r.target.Web, code())
	r.must(r.inspect(r.target.Other, o.tokens.RefreshToken)["active"] == false, "a stranger is told that a refresh token is active")
	if r.inspect(r.target.Web, o.tokens.RefreshToken)["active"] == false {
		r.skip("the provider does not describe refresh tokens")
	}
	r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
	r.must(r.inspect(r.target.Web, o.tokens.RefreshToken)["active"] == false, "a spent refresh token is active")
}

func claimsParameter(r *run) {
	if !r.meta().ClaimsParameter {
		r.skip("claims_parameter_supported is not true")
	}
	for _, bad := range []string{"x", "[]", `{"userinfo":`, `{"userinfo":[]}`, `{"id_token":{"sub":7}}`} {
		r.refusedBy(r.request(r.target.Web, code(), "claims", bad), "invalid_request")
	}
	b := r.browser()
	o := r.happy(b, r.target.Web, code(), "claims", `{"userinfo":{"email":null,"nonsense":null,"password":{"essential":true}},"id_token":{"given_name":null,"zzz":null}}`)
	info := r.claimsOf(r.userinfo(o.access))
	r.must(info["email"] != nil && o.claims["given_name"] != nil, "claims that were asked for by name did not come")
	r.must(info["password"] == nil && info["nonsense"] == nil && o.claims["zzz"] == nil, "claims that nobody knows came")
	sub, _ := o.claims["sub"].(string)
	q := r.request(r.target.Web, code(), "prompt", "none", "claims", `{"id_token":{"sub":{"value":"`+sub+`"}}}`)
	r.good(b.silent(q), q)
	q = r.request(r.target.Web, code(), "prompt", "none", "claims", `{"id_token":{"sub":{"value":"somebody-else"}}}`)
	r.refused(b.silent(q), q, nobody()...)
	q = r.request(r.target.Web, code(), "prompt", "none", "claims", `{"id_token":{"acr":{"essential":true,"value":null},"sub":{"value":null}}}`)
	r.good(b.silent(q), q) // null asks for nothing
	q = r.request(r.target.Web, code(), "claims", `{"id_token":{"acr":{"essential":true,"values":["urn:no-such-level"]}}}`)
	r.refused(b.signIn(q), q, "unmet_authentication_requirements", "access_denied", "login_required")
}

func logoutTokenIsNoHint(r *run) {
	r.needs("address for logout tokens", r.target.Logouts != nil && r.target.Web.BackchannelLogoutURI != "")
	b := r.browser()
	o := r.signedIn(b, code())
	b.confirmed(b.leave(pairs("id_token_hint", o.idText)))
	token := r.logoutToken(r.target.Web, o.claims)
	fresh := r.browser()
	r.happy(fresh, r.target.Web, code())
	q := r.request(r.target.Web, code(), "prompt", "none", "id_token_hint", token)
	a := fresh.silent(q)
	r.must(a.Get("error") != "", "a logout token is taken for an id_token_hint")
	p := fresh.leave(pairs("id_token_hint", token, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI))
	r.must(r.onward(p) == "", "a logout token signs out without a question and leads on")
	r.stillIn(fresh, code())
	r.must(r.userinfo(token).Status == http.StatusUnauthorized, "a logout token is taken for an access token")
}

func endSessionByPost(r *run) {
	b := r.browser()
	o := r.signedIn(b, code())
	ask := pairs("id_token_hint", o.idText, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI)
	// A form of another site brings no SameSite cookies along.
	res := r.fetch(http.MethodPost, r.meta().EndSessionEndpoint, ask, func(req *http.Request) {
		req.Header.Set("Origin", "https://evil.example")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	})
	next, err := res.URL.Parse(res.Header.Get("Location"))
	if res.Status == http.StatusSeeOther && err == nil && !r.leaves(next) {
		p := b.confirmed(b.get(next.String())) // which the browser's own cookies come along to
		r.must(strings.HasPrefix(r.onward(p), r.target.Web.PostLogoutRedirectURI), "the sign-out leads to %q", r.onward(p))
		r.signedOut(b, code())
		return
	}
	r.must(res.Status >= 400, "a sign-out posted without cookies is answered by %d to %q, as if it were done", res.Status, robot.Excerpt(res.Header.Get("Location")))
	r.stillIn(b, code())
}

func anothersHintAsks(r *run) {
	r.needs("second person", r.target.Else.Username != "")
	o := r.signedIn(r.browser(), code())
	b := r.browser()
	q := r.request(r.target.Web, code())
	r.good(b.signInAs(r.target.Else, q), q)
	p := b.leave(pairs("id_token_hint", o.idText, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI))
	r.pageShown(p, http.StatusOK)
	r.stillIn(b, code())
}
