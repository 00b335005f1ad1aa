package conformance

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/internal/robot"
)

// mixUpAttacks present to one session, browser or endpoint what is meant for another.
func mixUpAttacks() []Check {
	return []Check{
		{
			Name:        "attack/100-hint-without-the-browser",
			Requirement: "A logout request without the browser's cookie ends only what the client of its hint has.",
			do:          checkHintWithoutBrowser,
		},
		{
			Name:        "attack/101-consent-of-another-session",
			Requirement: "Consent that was shown to one person is not accepted for another.",
			do:          checkConsentOfOtherSession,
		},
		{
			Name:        "attack/102-finished-request-again",
			Requirement: "A request that was answered gets no second response, also for another person.",
			do:          checkFinishedRequest,
		},
		{
			Name:        "attack/103-form-without-origin",
			Requirement: "A form with Origin: null is accepted only together with the browser's cookie.",
			do:          checkNullOrigin,
		},
		{
			Name:        "attack/104-prefetch",
			Requirement: "A prefetch issues no code and signs no one out.",
			do:          checkPrefetch,
		},
		{
			Name:        "attack/105-unstorable-text",
			Requirement: "Text with NUL or invalid UTF-8 causes no server error.",
			do:          checkUnstorableText,
		},
		{
			Name:        "attack/106-password-in-the-url",
			Requirement: "The sign-in form ignores the query.",
			do:          checkPasswordInURL,
		},
	}
}

func checkHintWithoutBrowser(r *run) {
	r.skipWithout("other client", r.target.Other.ID != "")
	b := r.browser()
	flow := r.signInForLogout(b, codeFlow())
	theirs := r.redeemCode(r.target.Other, b.obtainCode(r.target.Other))
	r.browser().openEndSession(newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri",
		r.target.Web.PostLogoutRedirectURI))
	r.requireActive(theirs.AccessToken, "the token of another client, after a logout request from elsewhere")
	r.requireSignedIn(b, codeFlow())
}

func checkConsentOfOtherSession(r *run) {
	r.skipWithout("second person", r.otherPerson().Username != "")
	b := r.browser()
	b.obtainCode(r.target.Web)
	request := r.newRequest(r.target.Web, codeFlow(), "prompt", "consent")
	shown := b.authorize(request)
	forms := shown.Forms()
	r.skipWithout("page for consent", shown.Location == "" && len(forms) > 0)
	other := r.newRequest(r.target.Web, codeFlow(), "prompt", "login")
	r.requireSuccess(b.signInAs(r.otherPerson(), other), other)
	answer := b.submit(shown, forms[0], forms[0].Agree())
	response, ok := answer.AuthorizationResponse(r.target.Web.RedirectURI)
	r.require(!ok || response.Get("code") == "", "the second person's code was issued with the first person's consent")
}

// checkFinishedRequest opens again every URL by which the provider redirected the browser
// after the password, once as the same person and once as another.
func checkFinishedRequest(r *run) {
	r.skipWithout("second person", r.otherPerson().Username != "")
	b := r.browser()
	var visited []string
	b.robot.OnRedirect = func(by robot.Redirect) { visited = append(visited, by.URL.String()) }
	b.robot.Leaves = func(to *url.URL) bool {
		if r.leavesProvider(to) {
			return true
		}
		visited = append(visited, to.String())
		return false
	}
	page := b.authorize(r.newRequest(r.target.Web, codeFlow()))
	form := r.requireSignInForm(page)
	visited = nil
	page = b.submit(page, form, form.FillIn(r.person()))
	_, ok := page.AuthorizationResponse(r.target.Web.RedirectURI)
	r.require(ok, "the sign-in got no response")
	r.skipWithout("redirect after the password", len(visited) > 0)
	again := func(who string) {
		for _, visitedURL := range visited {
			page := b.get(visitedURL)
			response, ok := page.AuthorizationResponse(r.target.Web.RedirectURI)
			r.require(!ok || response.Get("code") == "", "%s: the finished request got another code", who)
		}
	}
	again("the same person")
	other := r.newRequest(r.target.Web, codeFlow(), "prompt", "login")
	r.requireSuccess(b.signInAs(r.otherPerson(), other), other)
	again("another person")
}

func checkNullOrigin(r *run) {
	b := r.browser()
	page := b.authorize(r.newRequest(r.target.Web, codeFlow()))
	form := r.requireSignInForm(page)
	to, err := page.URL.Parse(form.Action)
	r.require(err == nil, "the form leads to %q", form.Action)
	setNull := func(req *http.Request) { req.Header.Set("Origin", "null") }
	other := r.browser()
	other.authorize(r.newRequest(r.target.Web, codeFlow()))
	res := other.sendOnce(http.MethodPost, to.String(), form.FillIn(r.person()), setNull)
	r.require(res.Status >= 400, "a form of another browser, without an origin, returned %d", res.Status)
	res = b.sendOnce(http.MethodPost, to.String(), form.FillIn(r.person()), setNull, func(req *http.Request) {
		req.Header.Set("Sec-Fetch-Site", "cross-site")
	})
	r.require(res.Status >= 400, "a form from another site returned %d", res.Status)
}

func checkPrefetch(r *run) {
	b := r.browser()
	flow := r.signInForLogout(b, codeFlow())
	for _, header := range []string{"Sec-Purpose", "Purpose", "X-Moz"} {
		prefetch := func(req *http.Request) { req.Header.Set(header, "prefetch") }
		to := r.authorizationURL(r.newRequest(r.target.Web, codeFlow()))
		res := b.sendOnce(http.MethodGet, to, nil, prefetch)
		r.require(!strings.Contains(res.Location, "code="), "%s: a prefetch got a code", header)
		to = appendQuery(r.metadata().EndSessionEndpoint, newValues("id_token_hint", flow.idToken).Encode())
		b.sendOnce(http.MethodGet, to, nil, prefetch)
		r.requireSignedIn(b, codeFlow())
	}
}

func checkUnstorableText(r *run) {
	b := r.browser()
	b.obtainCode(r.target.Web)
	for _, text := range []string{"%00", "a%00b", "%FF", "%C3%28", "%ED%A0%80"} {
		for _, name := range []string{"nonce", "state", "login_hint", "id_token_hint", "scope", "claims", "redirect_uri"} {
			request := r.newRequest(r.target.Web, codeFlow())
			request.Del(name)
			page := b.openQuery(request.Encode() + "&" + name + "=" + text)
			r.require(page.Status < 500, "%s=%s: the response is %d", name, text, page.Status)
			response, _ := page.AuthorizationResponse(r.target.Web.RedirectURI)
			r.require(response.Get("error") != "server_error", "%s=%s: server_error", name, text)
			if name == "nonce" {
				r.require(response.Get("code") == "", "nonce=%s is accepted", text)
			}
		}
	}
}

func checkPasswordInURL(r *run) {
	b := r.browser()
	page := b.authorize(r.newRequest(r.target.Web, codeFlow()))
	form := r.requireSignInForm(page)
	to, err := page.URL.Parse(form.Action)
	r.require(err == nil, "the form leads to %q", form.Action)
	fields := form.FillIn(r.person())
	for why, request := range map[string]struct {
		method string
		body   url.Values
	}{"by GET": {http.MethodGet, nil}, "by POST": {http.MethodPost, url.Values{}}} {
		res := b.sendOnce(request.method, appendQuery(to.String(), fields.Encode()), request.body, robot.SetSameOrigin)
		r.require(res.Status < 300 || res.Status >= 400, "%s: a password in the URL signs in", why)
	}
	r.requireSignedOut(b, codeFlow())
}
