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
		{
			Name:        "attack/54-spent-refresh-token",
			Requirement: "Reuse of a refresh token revokes all tokens of the sign-in.",
			Serial:      true,
			do:          checkUsedRefreshToken,
		},
		{
			Name:        "attack/55-parallel-refresh",
			Requirement: "Concurrent refreshes lead to one successor.",
			do:          checkParallelRefresh,
		},
		{
			Name:        "attack/56-refresh-token-of-another-client",
			Requirement: "A refresh token works only for its own, authenticated client.",
			do:          checkForeignRefreshToken,
		},
		{
			Name:        "attack/57-wider-scope-on-refresh",
			Requirement: "A refresh cannot add scopes, and trying to does not use up the token.",
			do: func(r *run) {
				flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
				r.requireTokenError(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken, "scope",
					"openid offline_access email"), http.StatusBadRequest, "invalid_scope")
				r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
			},
		},
		{
			Name:        "attack/58-refresh-after-sign-out",
			Requirement: "Signing out revokes the refresh tokens of the session.",
			do: func(r *run) {
				r.skipWithout("end_session_endpoint", r.metadata().EndSessionEndpoint != "")
				b := r.browser()
				flow := r.runOfflineFlow(b, r.target.Web, codeFlow())
				t := r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
				b.confirmLogout(b.openEndSession(newValues("id_token_hint", flow.idToken)))
				r.requireSignedOut(b, codeFlow())
				r.requireTokenError(r.sendRefreshToken(r.target.Web, t.RefreshToken), http.StatusBadRequest, "invalid_grant")
				r.requireRevoked(t.AccessToken, "after the sign-out")
			},
		},
		{
			Name:        "attack/59-refreshed-id-token",
			Requirement: "A refreshed ID token is about the same sign-in.",
			do: func(r *run) {
				flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
				r.passTime(2 * time.Second)
				t := r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
				if t.IDToken != "" {
					_, claims := r.verifyJWT(t.IDToken)
					r.requireSameSignIn(flow.claims, claims)
				}
			},
		},
	}
}

func checkUsedRefreshToken(r *run) {
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	second := r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
	r.require(second.RefreshToken != "" && second.RefreshToken != flow.tokens.RefreshToken,
		"the refresh token was not replaced")
	third := r.requireRefreshed(r.sendRefreshToken(r.target.Web, second.RefreshToken))
	r.passTime(11 * time.Second) // after any grace period for a lost response
	r.requireTokenError(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	r.requireTokenError(r.sendRefreshToken(r.target.Web, third.RefreshToken), http.StatusBadRequest, "invalid_grant")
	for _, access := range []string{flow.tokens.AccessToken, second.AccessToken, third.AccessToken} {
		r.requireRevoked(access, "after the reuse of a refresh token")
	}
}

func checkParallelRefresh(r *run) {
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	var mu sync.Mutex
	var successors []string
	r.runTogether(8, func(r *run, _ int) {
		if t := r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken); t.Status == http.StatusOK {
			mu.Lock()
			successors = append(successors, t.RefreshToken)
			mu.Unlock()
		}
	})
	slices.Sort(successors)
	r.require(len(slices.Compact(successors)) <= 1, "eight concurrent refreshes led to more than one successor")
	if len(successors) > 0 {
		again := r.sendRefreshToken(r.target.Web, successors[0])
		r.require(again.Status == http.StatusOK || again.Error == "invalid_grant",
			"the successor returned %d %s", again.Status, again.Error)
	}
}

func checkForeignRefreshToken(r *run) {
	r.skipWithout("other client", r.target.Other.ID != "")
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	r.requireTokenError(r.sendRefreshToken(r.target.Other, flow.tokens.RefreshToken), http.StatusBadRequest,
		"invalid_grant")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {flow.tokens.RefreshToken}}
	t := r.postForm(r.metadata().TokenEndpoint, form)
	r.require(t.Status == http.StatusUnauthorized || t.Status == http.StatusBadRequest,
		"a refresh without a client returned %d", t.Status)
	form.Set("client_id", r.target.Web.ID)
	r.requireTokenError(r.postForm(r.metadata().TokenEndpoint, form), http.StatusUnauthorized, "invalid_client")
}

func extraAttacks() []Check {
	return []Check{
		{
			Name:        "extra/access-token-narrowed",
			Requirement: "A refresh with a narrower scope gives an access token for that scope only.",
			do:          checkNarrowedScope,
		},
		{
			Name:        "extra/refresh-token-revoked",
			Requirement: "Revoking a refresh token revokes the tokens issued for it.",
			do:          checkRefreshRevoked,
		},
		{
			Name:        "extra/refresh-token-introspected",
			Requirement: "A used refresh token is inactive, and so is another client's.",
			do:          checkRefreshIntrospected,
		},
		{
			Name:        "extra/claims-parameter",
			Requirement: "The claims parameter is validated and releases nothing beyond the client's scopes.",
			do:          checkClaimsParameter,
		},
		{
			Name:        "extra/logout-token-is-no-hint",
			Requirement: "A logout token is not accepted as an ID token.",
			do:          checkLogoutTokenHint,
		},
		{
			Name:        "extra/end-session-by-post",
			Requirement: "A sign-out posted from another site does not claim success without signing out.",
			do:          checkEndSessionByPost,
		},
		{
			Name:        "extra/hint-of-another-person-asks",
			Requirement: "A hint about another person never signs out without a question.",
			do:          checkHintOfOtherPerson,
		},
		{
			Name:        "extra/par",
			Requirement: "Parameters beside a request_uri do not override the pushed request.",
			do:          checkPushed,
		},
		{
			Name:        "extra/par-of-another-client",
			Requirement: "A pushed request can be used only by its own client.",
			do:          checkPushedByOther,
		},
		{
			Name:        "attack/99-request-uri-used-twice",
			Requirement: "A request_uri gets one code.",
			do:          checkPushedTwice,
		},
		{Name: "extra/par-expired", Requirement: "A pushed request expires.", Serial: true, do: checkPushedExpiry},
		{
			Name:        "extra/par-refused",
			Requirement: "A pushed request is validated, and its client authenticated.",
			do:          checkPushRejected,
		},
	}
}

func checkNarrowedScope(r *run) {
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow(), "scope", "openid email offline_access")
	t := r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken, "scope", "openid"))
	r.require(!slices.Contains(strings.Fields(t.Scope), "email"), "scope in the response is %q", t.Scope)
	_, has := r.decodeUserinfo(r.fetchUserinfo(t.AccessToken))["email"]
	r.require(!has, "userinfo returns the email address without its scope")
	again := r.requireRefreshed(r.sendRefreshToken(r.target.Web, t.RefreshToken))
	_, has = r.decodeUserinfo(r.fetchUserinfo(again.AccessToken))["email"]
	r.require(has, "a refresh without a scope parameter gives less than was granted (RFC 6749 section 6)")
	bare := r.requireRefreshed(r.sendRefreshToken(r.target.Web, again.RefreshToken, "scope", "email"))
	r.require(bare.IDToken == "", "an ID token came without openid")
	res := r.fetchUserinfo(bare.AccessToken)
	r.require(res.Status == http.StatusForbidden || res.Status == http.StatusUnauthorized,
		"userinfo returned %d to a token without openid", res.Status)
	r.require(strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer"),
		"WWW-Authenticate is %q", res.Header.Get("WWW-Authenticate"))
}

func checkRefreshRevoked(r *run) {
	r.skipWithout("revocation_endpoint", r.metadata().RevocationEndpoint != "")
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	if r.target.Other.ID != "" {
		r.revokeToken(r.target.Other, flow.tokens.RefreshToken)
		r.requireActive(flow.tokens.AccessToken, "after a revocation by another client")
	}
	res := r.revokeToken(r.target.Web, flow.tokens.RefreshToken)
	r.require(res.Status == http.StatusOK, "the revocation returned %d", res.Status)
	r.requireTokenError(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken), http.StatusBadRequest, "invalid_grant")
	r.requireRevoked(flow.tokens.AccessToken, "after revoking the refresh token (RFC 7009 section 2.1)")
}

func checkRefreshIntrospected(r *run) {
	r.skipWithout("introspection_endpoint", r.metadata().IntrospectionEndpoint != "")
	r.skipWithout("other client", r.target.Other.ID != "")
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	r.require(r.introspectToken(r.target.Other, flow.tokens.RefreshToken)["active"] == false,
		"another client learns that a refresh token is active")
	if r.introspectToken(r.target.Web, flow.tokens.RefreshToken)["active"] == false {
		r.skipCheck("the provider does not describe refresh tokens")
	}
	r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
	r.require(r.introspectToken(r.target.Web, flow.tokens.RefreshToken)["active"] == false,
		"a used refresh token is active")
}

func checkClaimsParameter(r *run) {
	if !r.metadata().ClaimsParameter {
		r.skipCheck("claims_parameter_supported is not true")
	}
	for _, bad := range []string{"x", "[]", `{"userinfo":`, `{"userinfo":[]}`, `{"id_token":{"sub":7}}`} {
		r.requireRejected(r.newRequest(r.target.Web, codeFlow(), "claims", bad), "invalid_request")
	}
	b := r.browser()
	flow := r.runFlow(b, r.target.Web, codeFlow(), "claims",
		`{"userinfo":{"email":null,"nonsense":null,"password":{"essential":true}},"id_token":{"given_name":null,"zzz":null}}`)
	info := r.decodeUserinfo(r.fetchUserinfo(flow.accessToken))
	r.require(info["email"] != nil && flow.claims["given_name"] != nil, "claims that were asked for by name did not come")
	r.require(info["password"] == nil && info["nonsense"] == nil && flow.claims["zzz"] == nil,
		"unknown claims were returned")
	sub, _ := flow.claims["sub"].(string)
	request := r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "claims",
		`{"id_token":{"sub":{"value":"`+sub+`"}}}`)
	r.requireSuccess(b.authorizeSilently(request), request)
	request = r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "claims",
		`{"id_token":{"sub":{"value":"somebody-else"}}}`)
	r.requireError(b.authorizeSilently(request), request, loginErrors()...)
	request = r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "claims",
		`{"id_token":{"acr":{"essential":true,"value":null},"sub":{"value":null}}}`)
	r.requireSuccess(b.authorizeSilently(request), request) // null requests nothing
	request = r.newRequest(r.target.Web, codeFlow(), "claims",
		`{"id_token":{"acr":{"essential":true,"values":["urn:no-such-level"]}}}`)
	r.requireError(b.signIn(request), request, "unmet_authentication_requirements", "access_denied", "login_required")
}

func checkLogoutTokenHint(r *run) {
	r.skipWithout("receiver for logout tokens", r.target.Logouts != nil && r.target.Web.BackchannelLogoutURI != "")
	b := r.browser()
	flow := r.signInForLogout(b, codeFlow())
	b.confirmLogout(b.openEndSession(newValues("id_token_hint", flow.idToken)))
	token := r.awaitLogoutToken(r.target.Web, flow.claims)
	fresh := r.browser()
	r.runFlow(fresh, r.target.Web, codeFlow())
	request := r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "id_token_hint", token)
	response := fresh.authorizeSilently(request)
	r.require(response.Get("error") != "", "a logout token is taken for an id_token_hint")
	p := fresh.openEndSession(newValues("id_token_hint", token, "post_logout_redirect_uri",
		r.target.Web.PostLogoutRedirectURI))
	r.require(r.nextURL(p) == "", "a logout token signs out without a question and leads on")
	r.requireSignedIn(fresh, codeFlow())
	r.require(r.fetchUserinfo(token).Status == http.StatusUnauthorized, "a logout token is accepted as an access token")
}

func checkEndSessionByPost(r *run) {
	b := r.browser()
	flow := r.signInForLogout(b, codeFlow())
	ask := newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI)
	// A form of another site does not send SameSite cookies.
	res := r.fetch(http.MethodPost, r.metadata().EndSessionEndpoint, ask, func(req *http.Request) {
		req.Header.Set("Origin", "https://evil.example")
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	})
	next, err := res.URL.Parse(res.Header.Get("Location"))
	if res.Status == http.StatusSeeOther && err == nil && !r.leavesProvider(next) {
		p := b.confirmLogout(b.get(next.String())) // this request carries the browser's own cookies
		r.require(strings.HasPrefix(r.nextURL(p), r.target.Web.PostLogoutRedirectURI),
			"the sign-out leads to %q", r.nextURL(p))
		r.requireSignedOut(b, codeFlow())
		return
	}
	r.require(res.Status >= 400,
		"a sign-out posted without cookies returned %d to %q, as if it had succeeded",
		res.Status, robot.Excerpt(res.Header.Get("Location")))
	r.requireSignedIn(b, codeFlow())
}

func checkHintOfOtherPerson(r *run) {
	r.skipWithout("second person", r.otherPerson().Username != "")
	flow := r.signInForLogout(r.browser(), codeFlow())
	b := r.browser()
	request := r.newRequest(r.target.Web, codeFlow())
	r.requireSuccess(b.signInAs(r.otherPerson(), request), request)
	p := b.openEndSession(newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri",
		r.target.Web.PostLogoutRedirectURI))
	r.requirePage(p, http.StatusOK)
	r.requireSignedIn(b, codeFlow())
}
