package conformance

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// variationAttacks returns variations of the other attacks that are easily
// forgotten.
func variationAttacks() []Check {
	return []Check{
		{
			Name:        "extra/code-replayed-late",
			Requirement: "Replaying a code after its expiry still revokes the tokens issued for it.",
			Serial:      true,
			do:          checkLateReplay,
		},
		{
			Name:        "extra/hybrid-code-replayed",
			Requirement: "Replaying a code also revokes the access token from the front channel.",
			do:          checkHybridReplay,
		},
		{
			Name:        "extra/access-token-expires",
			Requirement: "An access token expires as announced.",
			Serial:      true,
			do:          checkAccessTokenExpiry,
		},
		{
			Name:        "extra/kinds-not-mixed",
			Requirement: "Codes, access tokens, refresh tokens and ID tokens are not interchangeable.",
			do:          checkTokenKinds,
		},
		{
			Name:        "extra/refresh-token-forged",
			Requirement: "A refresh token cannot be derived from another one.",
			do:          checkForgedRefreshToken,
		},
		{
			Name:        "extra/assertion-spent-once",
			Requirement: "A client assertion is accepted once, even concurrently and across endpoints.",
			do:          checkAssertionOnce,
		},
		{
			Name:        "extra/session-cookie",
			Requirement: "Session cookies are HttpOnly, SameSite and unguessable.",
			do:          checkSessionCookie,
		},
		{
			Name:        "extra/posted-request-makes-no-header",
			Requirement: "A posted request that is redirected adds no header or fragment.",
			do:          checkPostedRequest,
		},
		{
			Name:        "extra/sign-out-hint-of-another-client",
			Requirement: "A hint does not sign out for another client.",
			do:          checkLogoutHintClient,
		},
	}
}

// checkLateReplay: RFC 6749 section 4.1.2 sets no time after which a replay may
// be ignored. The refresh token of a stolen code lives for weeks.
func checkLateReplay(r *run) {
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	r.passTime(10*time.Minute + time.Second)
	spent := flow.response.Get("code")
	r.requireTokenError(r.sendCode(r.target.Web, spent), http.StatusBadRequest, "invalid_grant")
	t := r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken)
	r.require(t.Status == http.StatusBadRequest, "the refresh token outlives the replay of an expired code")
}

func checkHybridReplay(r *run) {
	v := variant{responseType: "code token"}
	r.skipWithout("response type code token", slices.Contains(r.metadata().ResponseTypesSupported, v.responseType))
	request := r.newRequest(r.target.Web, v)
	response := r.browser().signIn(request)
	r.requireSuccess(response, request)
	front := response.Get("access_token")
	r.requireActive(front, "with the access token of the front channel")
	r.redeemCode(r.target.Web, response.Get("code"))
	r.requireActive(front, "after redeeming the code")
	r.requireTokenError(r.sendCode(r.target.Web, response.Get("code")), http.StatusBadRequest, "invalid_grant")
	r.requireRevoked(front, "after the replay, with the access token of the front channel")
}

func checkAccessTokenExpiry(r *run) {
	flow := r.runOfflineFlow(r.browser(), r.target.Web, codeFlow())
	r.skipWithout("expires_in for access tokens", flow.tokens.ExpiresIn != nil)
	r.requireActive(flow.accessToken, "a new access token")
	r.passTime(time.Duration(*flow.tokens.ExpiresIn+1) * time.Second)
	res := r.fetchUserinfo(flow.accessToken)
	r.require(res.Status == http.StatusUnauthorized, "an expired access token returned %d", res.Status)
	r.require(strings.Contains(res.Header.Get("WWW-Authenticate"), "invalid_token"),
		"WWW-Authenticate is %q (RFC 6750 section 3.1)", res.Header.Get("WWW-Authenticate"))
	if r.metadata().IntrospectionEndpoint != "" {
		got := r.introspectToken(r.target.Web, flow.accessToken)
		r.require(got["active"] == false && len(got) == 1, "an expired access token is described: %v", got)
	}
}

func checkTokenKinds(r *run) {
	b := r.browser()
	flow := r.runOfflineFlow(b, r.target.Web, codeFlow())
	unspent := b.obtainCode(r.target.Web)
	kinds := map[string]string{
		"code":          unspent,
		"access token":  flow.accessToken,
		"refresh token": flow.tokens.RefreshToken,
		"ID token":      flow.idToken,
	}
	for kind, token := range kinds {
		if kind != "code" {
			t := r.sendCode(r.target.Web, token)
			r.require(t.Status == http.StatusBadRequest && t.Error == "invalid_grant",
				"an unused %s as a code returned %d %s", kind, t.Status, t.Error)
		}
		if kind != "refresh token" {
			t := r.sendRefreshToken(r.target.Web, token)
			r.require(t.Status == http.StatusBadRequest && t.Error == "invalid_grant",
				"a %s as a refresh token returned %d %s", kind, t.Status, t.Error)
		}
		if kind != "access token" {
			r.require(r.fetchUserinfo(token).Status == http.StatusUnauthorized, "a %s is accepted at userinfo", kind)
		}
	}
	if r.metadata().IntrospectionEndpoint != "" {
		for _, kind := range []string{"code", "ID token"} {
			r.require(r.introspectToken(r.target.Web, kinds[kind])["active"] == false,
				"introspection calls a %s active", kind)
		}
	}
	r.requireActive(flow.accessToken, "after these attempts")
	r.redeemCode(r.target.Web, unspent) // and does not use up the code
	r.requireRefreshed(r.sendRefreshToken(r.target.Web, flow.tokens.RefreshToken))
}

func checkForgedRefreshToken(r *run) {
	b := r.browser()
	mine := r.runOfflineFlow(b, r.target.Web, codeFlow()).tokens.RefreshToken
	other := r.runOfflineFlow(b, r.target.Web, codeFlow()).tokens.RefreshToken
	r.require(mine != other && len(mine) >= 22,
		"a refresh token of %d characters is guessable, or the same as the last", len(mine))
	forged := []string{mine + "A", mine[:len(mine)-1], other[:len(other)/2] + mine[len(mine)/2:]}
	for i := 0; i < len(mine); i += max(1, len(mine)/8) {
		changed := []byte(mine)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		forged = append(forged, string(changed))
	}
	for _, token := range forged {
		r.requireTokenError(r.sendRefreshToken(r.target.Web, token), http.StatusBadRequest, "invalid_grant")
	}
	r.requireRefreshed(r.sendRefreshToken(r.target.Web, mine)) // a forgery has no effect on the owner
	r.requireRefreshed(r.sendRefreshToken(r.target.Web, other))
}

func checkAssertionOnce(r *run) {
	r.skipWithout("client with private_key_jwt", r.target.Keyed.Key != nil)
	c, b := r.target.Keyed, r.browser()
	codes := make([]string, 6)
	for i := range codes {
		codes[i] = b.obtainCode(c)
	}
	shared := r.signAssertion(c)
	var won atomic.Int64
	r.runTogether(len(codes), func(r *run, i int) {
		if t := r.redeemWithAssertion(codes[i], c, shared); t.Status == http.StatusOK {
			won.Add(1)
		}
	})
	r.require(won.Load() == 1, "%d of %d concurrent requests with the same assertion succeeded", won.Load(), len(codes))
	for _, rawURL := range []string{
		r.metadata().RevocationEndpoint, r.metadata().IntrospectionEndpoint,
		r.metadata().PAREndpoint,
	} {
		if rawURL == "" {
			continue
		}
		form := url.Values{
			"token":                 {"x"},
			"client_assertion":      {shared},
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		}
		res := r.fetch(http.MethodPost, rawURL, form)
		r.require(res.Status >= 400 && res.Status < 500, "%s accepts a used assertion: %d", rawURL, res.Status)
	}
}

// checkSessionCookie finds the cookies that keep the person signed in and
// checks their attributes.
func checkSessionCookie(r *run) {
	b := r.browser()
	request := r.newRequest(r.target.Web, codeFlow())
	p := b.authorize(request)
	res, to := b.postPassword(p)
	set := (&http.Response{Header: res.Header}).Cookies()
	r.skipWithout("sign-in with a single form", len(set) > 0)
	r.requireSignedIn(b, codeFlow())
	silent := r.newRequest(r.target.Web, codeFlow(), "prompt", "none")
	makes := 0
	for _, c := range set {
		without := r.browser()
		without.robot.Jar.SetCookies(to,
			secureCookies(slices.DeleteFunc(b.robot.Jar.Cookies(to), func(k *http.Cookie) bool { return k.Name == c.Name }), to))
		if without.authorizeSilently(silent).Has("code") {
			continue // not a session cookie
		}
		makes++
		r.require(len(c.Value) >= 22 && isUnguessable(c.Value),
			"the cookie %s of %d characters can be guessed", c.Name, len(c.Value))
		r.require(c.HttpOnly, "the cookie %s is not HttpOnly", c.Name)
		r.require(c.Secure || to.Scheme != "https", "the cookie %s travels without https", c.Name)
		r.require(c.SameSite == http.SameSiteLaxMode || c.SameSite == http.SameSiteStrictMode,
			"the cookie %s is sent from other sites", c.Name)
		r.require(c.Domain == "", "the cookie %s is for every host of %s", c.Name, c.Domain)
	}
	r.require(makes > 0, "no cookie of the sign-in keeps the session")
}

func checkPostedRequest(r *run) {
	request := r.newRequest(r.target.Web, codeFlow())
	for why, tail := range map[string]string{
		"a line break":     "&x=\r\nSet-Cookie: planted=1\r\nX-Planted: 1",
		"a bare line feed": "&x=\nX-Planted: 1",
		"a fragment":       "#code=planted&state=" + request.Get("state"),
	} {
		res := r.fetch(http.MethodPost, r.metadata().AuthorizationEndpoint, url.Values{}, func(req *http.Request) {
			setBody(req, request.Encode()+tail)
		})
		r.require(res.Header.Get("X-Planted") == "" && !strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), ";"),
			"planted"), "%s in a posted request becomes a header", why)
		// A browser keeps a fragment across redirects that have none.
		r.require(!strings.Contains(res.Header.Get("Location"), "#code=planted"),
			"%s in a posted request becomes the fragment of the redirect", why)
	}
}

// setBody replaces the body of a request.
func setBody(req *http.Request, body string) {
	req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(body)), nil, int64(len(body))
}

func checkLogoutHintClient(r *run) {
	r.skipWithout("other client", r.target.Other.ID != "")
	b := r.browser()
	flow := r.signInForLogout(b, codeFlow())
	for why, ask := range map[string]url.Values{
		"client_id of another client": newValues("id_token_hint", flow.idToken, "client_id", r.target.Other.ID),
		"redirect URI of another client": newValues("id_token_hint", flow.idToken, "client_id", r.target.Other.ID,
			"post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI),
		"no such client": newValues("id_token_hint", flow.idToken, "client_id", "unknown-"+randomString(6)),
	} {
		p := b.openEndSession(ask)
		r.require(p.Location == "" && r.nextURL(p) == "", "%s: the browser is sent on to %q", why, p.Location+r.nextURL(p))
		r.requireSignedIn(b, codeFlow()) // unless the person confirms
	}
}
