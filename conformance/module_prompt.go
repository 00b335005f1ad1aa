package conformance

import "time"

// promptModules are about who is signed in already.
func promptModules() []module {
	return []module{
		{"oidcc-prompt-login", "prompt=login asks again, and auth_time is later.", always, false, func(r *run, v variant) {
			asksAgain(r, v, false, "prompt", "login")
		}},
		{"oidcc-max-age-1", "max_age asks again when the sign-in is older, and auth_time is later.", always, false, func(r *run, v variant) {
			asksAgain(r, v, true, "max_age", "1")
		}},
		{"oidcc-prompt-none-not-logged-in", "prompt=none without a session is refused, with the state as it was.", always, false, func(r *run, v variant) {
			q := r.request(r.target.Web, v, "prompt", "none", "state", random(120)+"-._~-._~")
			r.refused(r.browser().silent(q), q, nobody()...)
		}},
		{"oidcc-prompt-none-logged-in", "prompt=none with a session is answered for the same person and auth_time.", always, false, func(r *run, v variant) {
			answeredSilently(r, v, nil, func(outcome) []string { return []string{"prompt", "none"} })
		}},
		{"oidcc-max-age-10000", "max_age that the sign-in satisfies asks nobody, and auth_time is the same.", always, false, func(r *run, v variant) {
			answeredSilently(r, v, []string{"max_age", "15000"}, func(outcome) []string { return []string{"max_age", "10000"} })
		}},
		{"oidcc-id-token-hint", "id_token_hint of the person who is signed in is answered silently.", always, false, func(r *run, v variant) {
			answeredSilently(r, v, nil, func(o outcome) []string { return []string{"prompt", "none", "id_token_hint", o.idText} })
		}},
	}
}

// asksAgain demands that a second request is asked for a password, and that the
// sign-in which follows is a later one. Max_age needs an auth_time; otherwise it
// counts where it is there (OIDC Core section 2).
func asksAgain(r *run, v variant, timed bool, changes ...string) {
	b := r.browser()
	first := r.happy(b, r.target.Web, v)
	r.wait(2 * time.Second)
	q := r.request(r.target.Web, v, changes...)
	p := b.authorize(q)
	r.signinShown(p)
	second := r.complete(r.target.Web, q, b.finish(p, r.target.Person, q.Get("redirect_uri")))
	r.must(second.claims["sub"] == first.claims["sub"], "sub has changed")
	if _, has := second.claims["auth_time"]; !has && !timed {
		return
	}
	after := r.number(second.claims, "auth_time")
	if before, has := first.claims["auth_time"].(float64); has {
		r.must(after > before, "auth_time is %.0f, not later than %.0f", after, before)
	}
	r.must(after >= float64(r.target.Now().Unix()-60), "auth_time is %.0f, not now", after)
}

// answeredSilently demands that a second request is answered without a page, for
// the same person and auth_time.
func answeredSilently(r *run, v variant, first []string, then func(outcome) []string) {
	b := r.browser()
	before := r.happy(b, r.target.Web, v, first...)
	if len(first) > 0 {
		r.number(before.claims, "auth_time")
	}
	r.wait(time.Second)
	q := r.request(r.target.Web, v, then(before)...)
	after := r.complete(r.target.Web, q, b.silent(q))
	r.must(after.claims["sub"] == before.claims["sub"], "sub has changed")
	r.must(after.claims["auth_time"] == before.claims["auth_time"], "auth_time has changed from %v to %v", before.claims["auth_time"], after.claims["auth_time"])
}
