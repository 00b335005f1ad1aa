package conformance

import "time"

// promptModules returns the modules about an existing session.
func promptModules() []module {
	return []module{
		{
			name:        "oidcc-prompt-login",
			requirement: "prompt=login asks again, and auth_time is later.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				checkAsksAgain(r, v, false, "prompt", "login")
			},
		},
		{
			name:        "oidcc-max-age-1",
			requirement: "max_age asks again when the sign-in is older, and auth_time is later.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				checkAsksAgain(r, v, true, "max_age", "1")
			},
		},
		{
			name:        "oidcc-prompt-none-not-logged-in",
			requirement: "prompt=none without a session is rejected, and state is returned unchanged.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				request := r.newRequest(r.target.Web, v, "prompt", "none", "state", randomString(120)+"-._~-._~")
				r.requireError(r.browser().authorizeSilently(request), request, loginErrors()...)
			},
		},
		{
			name:        "oidcc-prompt-none-logged-in",
			requirement: "prompt=none with a session succeeds for the same person and auth_time.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				checkSilent(r, v, nil, func(flowResult) []string { return []string{"prompt", "none"} })
			},
		},
		{
			name:        "oidcc-max-age-10000",
			requirement: "max_age that the session satisfies shows no page, and auth_time is the same.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				checkSilent(r, v, []string{"max_age", "15000"}, func(flowResult) []string { return []string{"max_age", "10000"} })
			},
		},
		{
			name:        "oidcc-id-token-hint",
			requirement: "id_token_hint of the signed-in person succeeds without a page.",
			appliesTo:   anyType,
			do: func(r *run, v variant) {
				checkSilent(r, v, nil,
					func(flow flowResult) []string { return []string{"prompt", "none", "id_token_hint", flow.idToken} })
			},
		},
	}
}

// checkAsksAgain requires that a second request asks for the password and that
// the following sign-in is a later one. With max_age an auth_time is required,
// otherwise it is checked if present (OIDC Core section 2).
func checkAsksAgain(r *run, v variant, timed bool, changes ...string) {
	b := r.browser()
	first := r.runFlow(b, r.target.Web, v)
	r.passTime(2 * time.Second)
	request := r.newRequest(r.target.Web, v, changes...)
	p := b.authorize(request)
	r.requireSignInForm(p)
	second := r.finishFlow(r.target.Web, request, b.finishSignIn(p, r.person(), request.Get("redirect_uri")))
	r.require(second.claims["sub"] == first.claims["sub"], "sub has changed")
	if _, has := second.claims["auth_time"]; !has && !timed {
		return
	}
	after := r.requireNumber(second.claims, "auth_time")
	if before, has := first.claims["auth_time"].(float64); has {
		r.require(after > before, "auth_time is %.0f, not later than %.0f", after, before)
	}
	r.require(after >= float64(r.target.Now().Unix()-60), "auth_time is %.0f, not now", after)
}

// checkSilent requires that a second request gets a response without a page,
// for the same person and auth_time.
func checkSilent(r *run, v variant, first []string, then func(flowResult) []string) {
	b := r.browser()
	before := r.runFlow(b, r.target.Web, v, first...)
	if len(first) > 0 {
		r.requireNumber(before.claims, "auth_time")
	}
	r.passTime(time.Second)
	request := r.newRequest(r.target.Web, v, then(before)...)
	after := r.finishFlow(r.target.Web, request, b.authorizeSilently(request))
	r.require(after.claims["sub"] == before.claims["sub"], "sub has changed")
	r.require(after.claims["auth_time"] == before.claims["auth_time"],
		"auth_time has changed from %v to %v", before.claims["auth_time"], after.claims["auth_time"])
}
