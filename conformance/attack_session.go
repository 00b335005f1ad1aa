package conformance

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/robot"
)

func sessionAttacks() []Check {
	return []Check{
		{Name: "attack/68-login-csrf", Says: "A sign-in form that another site sends is refused.", do: loginCSRF},
		{Name: "attack/69-session-fixation", Says: "A sign-in that one browser starts, no other can finish, and the session is new.", do: sessionFixation},
		{Name: "attack/70-prompt-none-shows-nothing", Says: "prompt=none never shows a page.", do: promptNone},
		{Name: "attack/71-prompt-none-with-another", Says: "prompt=none goes with no other value.", do: func(r *run) {
			b := r.browser()
			b.code(r.target.Web)
			for _, prompt := range []string{"none login", "login none", "none consent", "none none login"} {
				q := r.request(r.target.Web, code(), "prompt", prompt)
				r.refused(b.silent(q), q, "invalid_request")
			}
		}},
		{Name: "attack/72-fresh-sign-in-passed-by", Says: "prompt=login and max_age cannot be passed by.", do: freshPassedBy},
		{Name: "attack/73-hint-of-somebody-else", Says: "id_token_hint never signs anybody in.", do: hintOfSomebodyElse},
		{Name: "attack/74-password-guessing", Says: "Whoever guesses waits, longer each time, and nobody else does.", do: passwordGuessing},
		{Name: "attack/75-unknown-user", Says: "An unknown name is answered like a wrong password.", do: unknownUser},
		{Name: "attack/86-key-in-header", Says: "A token that brings its own key is not believed.", do: keyInHeader},
	}
}

func loginCSRF(r *run) {
	b := r.browser()
	p := b.authorize(r.request(r.target.Web, code()))
	f := r.signinShown(p)
	to, err := p.URL.Parse(f.Action)
	r.must(err == nil, "the form leads to %q", f.Action)
	for why, edit := range map[string]func(*http.Request){
		"Origin of another site": func(req *http.Request) { req.Header.Set("Origin", "https://evil.example") },
		"Sec-Fetch-Site cross":   func(req *http.Request) { req.Header.Set("Sec-Fetch-Site", "cross-site") },
		"Origin null":            func(req *http.Request) { req.Header.Set("Origin", "null") },
	} {
		res := b.once(http.MethodPost, to.String(), f.FillIn(r.target.Person), edit)
		r.must(res.Status >= 400, "%s: the form is answered by %d", why, res.Status)
	}
	// The attacker's own form in the victim's browser.
	attacker := r.browser()
	theirs := attacker.authorize(r.request(r.target.Web, code()))
	f = r.signinShown(theirs)
	res := r.browser().once(http.MethodPost, to.String(), f.FillIn(r.target.Person))
	r.must(res.Status >= 400, "a form without its browser's cookie is answered by %d", res.Status)
}

func sessionFixation(r *run) {
	attacker, victim := r.browser(), r.browser()
	q := r.request(r.target.Web, code())
	p := attacker.authorize(q)
	f := r.signinShown(p)
	seen := victim.get(p.URL.String())
	_, asks := seen.PasswordForm()
	r.must(!asks || seen.URL.String() != p.URL.String() || seen.Status >= 400, "another browser opens the attacker's sign-in page")
	finished := victim.submit(p, f, f.FillIn(r.target.Person))
	_, answered := finished.AuthorizationResponse(q.Get("redirect_uri"))
	r.must(!answered && finished.Status >= 400, "another browser finished the attacker's sign-in (status %d)", finished.Status)
	silent := r.request(r.target.Web, code(), "prompt", "none")
	r.refused(attacker.silent(silent), silent, nobody()...)

	// What a browser held before the sign-in is worth nothing after it.
	b := r.browser()
	p = b.authorize(q)
	u, err := url.Parse(r.target.Issuer)
	r.must(err == nil, "the issuer is no address")
	before := b.robot.Jar.Cookies(u)
	b.finish(p, r.target.Person, q.Get("redirect_uri"))
	thief := r.browser()
	thief.robot.Jar.SetCookies(u, secured(before, u))
	r.refused(thief.silent(silent), silent, nobody()...)
	// A second sign-in in the same browser makes the first cookie worthless, too.
	first := b.robot.Jar.Cookies(u)
	again := r.request(r.target.Web, code(), "prompt", "login")
	b.signIn(again)
	old := r.browser()
	old.robot.Jar.SetCookies(u, secured(first, u))
	r.refused(old.silent(silent), silent, nobody()...)
}

// secured are cookies as a jar returns them, made fit to be put into another.
func secured(cookies []*http.Cookie, u *url.URL) []*http.Cookie {
	out := make([]*http.Cookie, 0, len(cookies))
	for _, c := range cookies {
		out = append(out, &http.Cookie{ //nolint:gosec // goes into a cookie jar, not to a browser
			Name: c.Name, Value: c.Value, Path: "/", Secure: u.Scheme == "https",
		})
	}
	return out
}

func promptNone(r *run) {
	b := r.browser()
	for _, v := range []variant{{"code", ""}, {"code", "form_post"}} {
		q := r.request(r.target.Web, v, "prompt", "none")
		r.refused(b.silent(q), q, nobody()...)
	}
	b.code(r.target.Web)
	r.wait(2 * time.Second)
	q := r.request(r.target.Web, code(), "prompt", "none", "max_age", "1")
	r.refused(b.silent(q), q, nobody()...)
	q = r.request(r.target.Web, code(), "prompt", "none")
	r.good(b.silent(q), q)
}

func freshPassedBy(r *run) {
	b := r.browser()
	first := r.happy(b, r.target.Web, code(), "max_age", "15000")
	for _, changes := range [][]string{{"prompt", "login", "max_age", "15000"}, {"max_age", "0"}, {"max_age", "1"}, {"prompt", "select_account", "max_age", "15000"}} {
		r.wait(2 * time.Second)
		q := r.request(r.target.Web, code(), changes...)
		p := b.authorize(q)
		r.signinShown(p)
		// Asking again, in whatever way, leads back to the password.
		r.signinShown(b.get(p.URL.String()))
		r.signinShown(b.authorize(q))
		second := r.complete(r.target.Web, q, b.finish(p, r.target.Person, q.Get("redirect_uri")))
		r.must(r.number(second.claims, "auth_time") > r.number(first.claims, "auth_time"), "%v: auth_time is not new", changes)
	}
	q := r.request(r.target.Web, code(), "max_age", "-1")
	r.refused(b.silent(q), q, "invalid_request")
}

func hintOfSomebodyElse(r *run) {
	r.needs("second person", r.target.Else.Username != "")
	b := r.browser()
	own := r.happy(b, r.target.Web, code())
	q := r.request(r.target.Web, code())
	theirs := r.complete(r.target.Web, q, r.browser().signInAs(r.target.Else, q))
	parts := strings.Split(own.idText, ".")
	now := r.target.Now().Unix()
	claims := map[string]any{"iss": r.target.Issuer, "aud": r.target.Web.ID, "sub": theirs.claims["sub"], "iat": now, "exp": now + 60}
	foreign := map[string]any{"iss": "https://evil.example", "aud": r.target.Web.ID, "sub": own.claims["sub"], "iat": now, "exp": now + 60}
	for why, hint := range map[string]string{
		"somebody else's":          theirs.idText,
		"unsigned":                 unsigned(claims),
		"with a changed signature": parts[0] + "." + parts[1] + "." + strings.Split(theirs.idText, ".")[2],
		"with a changed body":      parts[0] + "." + strings.Split(theirs.idText, ".")[1] + "." + parts[2],
		"under a stranger's key":   r.signed(jose.ES256, strangersKey(r), "", claims),
		"of another issuer":        r.signed(jose.ES256, strangersKey(r), "", foreign),
		"no token":                 "nonsense",
	} {
		ask := r.request(r.target.Web, code(), "prompt", "none", "id_token_hint", hint)
		a := b.silent(ask)
		r.must(a.Get("error") != "" && !a.Has("code"), "a hint %s is answered with %s", why, strings.Join(names(a.Values), ", "))
		nobodyIn := r.browser().silent(ask)
		r.must(nobodyIn.Get("error") != "", "a hint %s signs somebody in", why)
	}
}

func passwordGuessing(r *run) {
	b := r.browser()
	name := "guessed-" + random(8)
	limited := false
	for range 12 {
		p := b.authorize(r.request(r.target.Web, code()))
		f := r.signinShown(p)
		p = b.submit(p, f, f.FillIn(Person{Username: name, Password: "wrong"}))
		if p.Status == http.StatusTooManyRequests {
			limited = true
			r.must(p.Header.Get("Retry-After") != "", "the wait is not said in Retry-After")
			break
		}
	}
	r.must(limited, "twelve wrong passwords of one name in a row are not slowed down")
	r.browser().code(r.target.Web) // nobody else is held up
}

func unknownUser(r *run) {
	try := func(username string) *robot.Page {
		b := r.browser()
		p := b.authorize(r.request(r.target.Web, code()))
		f := r.signinShown(p)
		return b.submit(p, f, f.FillIn(Person{Username: username, Password: "wrong-" + random(8)}))
	}
	ghost := "ghost" + random(4)
	known, unknown := try(r.target.Person.Username), try(ghost)
	r.must(known.Status == unknown.Status, "a wrong password answers %d, an unknown name %d", known.Status, unknown.Status)
	r.must(len(known.Attributes("p", "id")) == len(unknown.Attributes("p", "id")), "the two pages are built differently")
	a, b := known.AlertText(), unknown.AlertText()
	r.must(a == b && a != "", "a wrong password says %q, an unknown name %q", a, b)
}

func keyInHeader(r *run) {
	b := r.browser()
	own := r.happy(b, r.target.Web, code())
	key := strangersKey(r)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
	r.must(err == nil, "no signer: %v", err)
	hint := r.sign(signer, own.claims)
	header, _ := r.open(own.idText)
	known := r.signed(jose.ES256, key, header.KeyID, own.claims)
	for why, token := range map[string]string{"with its key in the header": hint, "with our kid": known} {
		q := r.request(r.target.Web, code(), "prompt", "none", "id_token_hint", token)
		a := b.silent(q)
		r.must(a.Get("error") != "", "a hint %s is believed", why)
		r.must(r.userinfo(token).Status == http.StatusUnauthorized, "a token %s works at userinfo", why)
		if r.meta().EndSessionEndpoint != "" {
			b.leave(pairs("id_token_hint", token))
			r.stillIn(b, code())
		}
	}
}

func logoutAttacks() []Check {
	return []Check{
		{Name: "attack/81-logout-by-image", Says: "A sign-out without a hint asks, and only the person's own yes ends the session.", do: logoutByImage},
		{Name: "attack/82-unregistered-post-logout", Says: "An address that is not registered is never gone to.", do: func(r *run) {
			for _, uri := range []string{"https://evil.example/", r.target.Web.RedirectURI, "javascript:alert(1)", "//evil.example"} {
				b := r.browser()
				o := r.signedIn(b, code())
				p := b.confirmed(b.leave(pairs("id_token_hint", o.idText, "post_logout_redirect_uri", uri)))
				r.must(p.Location == "" && r.onward(p) == "", "the sign-out leads to %q", p.Location+r.onward(p))
				r.must(!strings.Contains(p.Body, `href="`+uri), "the page links to %q", uri)
			}
		}},
	}
}

func logoutByImage(r *run) {
	r.needs("end_session_endpoint", r.meta().EndSessionEndpoint != "")
	b := r.browser()
	b.code(r.target.Web)
	p := b.leave(nil)
	r.pageShown(p, http.StatusOK)
	r.stillIn(b, code())
	forms := p.Forms()
	r.must(len(forms) > 0, "the page does not ask")
	to, err := p.URL.Parse(forms[0].Action)
	r.must(err == nil, "the form leads to %q", forms[0].Action)
	// Another site cannot press the button: it does not know what the form holds.
	empty := b.once(http.MethodPost, to.String(), url.Values{"request": {"x"}}, func(req *http.Request) { req.Header.Set("Sec-Fetch-Site", "cross-site") })
	r.must(empty.Status >= 400, "a made-up yes is answered by %d", empty.Status)
	r.stillIn(b, code())
	// Neither does the yes of another browser count in this one.
	other := r.browser()
	other.code(r.target.Web)
	theirs := other.leave(nil).Forms()
	r.must(len(theirs) > 0, "the page does not ask")
	b.once(http.MethodPost, to.String(), theirs[0].Agree())
	r.stillIn(b, code())
	b.submit(p, forms[0], forms[0].Agree())
	r.signedOut(b, code())
}
