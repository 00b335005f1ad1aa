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
		{
			Name:        "attack/68-login-csrf",
			Requirement: "A sign-in form submitted from another site is rejected.",
			do:          checkLoginCSRF,
		},
		{
			Name:        "attack/69-session-fixation",
			Requirement: "A sign-in cannot be finished in another browser, and it starts a new session.",
			do:          checkSessionFixation,
		},
		{Name: "attack/70-prompt-none-shows-nothing", Requirement: "prompt=none never shows a page.", do: checkPromptNone},
		{
			Name:        "attack/71-prompt-none-with-another",
			Requirement: "prompt=none cannot be combined with other values.",
			do: func(r *run) {
				b := r.browser()
				b.obtainCode(r.target.Web)
				for _, prompt := range []string{"none login", "login none", "none consent", "none none login"} {
					request := r.newRequest(r.target.Web, codeFlow(), "prompt", prompt)
					r.requireError(b.authorizeSilently(request), request, "invalid_request")
				}
			},
		},
		{
			Name:        "attack/72-fresh-sign-in-passed-by",
			Requirement: "prompt=login and max_age cannot be bypassed.",
			do:          checkFreshSignIn,
		},
		{Name: "attack/73-hint-of-somebody-else", Requirement: "id_token_hint never signs a user in.", do: checkForeignHint},
		{
			Name:        "attack/74-password-guessing",
			Requirement: "Wrong passwords lead to increasing delays for the caller only.",
			do:          checkPasswordGuessing,
		},
		{
			Name:        "attack/75-unknown-user",
			Requirement: "An unknown username looks like a wrong password.",
			do:          checkUnknownUser,
		},
		{
			Name:        "attack/86-key-in-header",
			Requirement: "A token that contains its own key is not accepted.",
			do:          checkKeyInHeader,
		},
	}
}

func checkLoginCSRF(r *run) {
	b := r.browser()
	p := b.authorize(r.newRequest(r.target.Web, codeFlow()))
	f := r.requireSignInForm(p)
	to, err := p.URL.Parse(f.Action)
	r.require(err == nil, "the form leads to %q", f.Action)
	for why, edit := range map[string]func(*http.Request){
		"Origin of another site": func(req *http.Request) { req.Header.Set("Origin", "https://evil.example") },
		"Sec-Fetch-Site cross":   func(req *http.Request) { req.Header.Set("Sec-Fetch-Site", "cross-site") },
		"both": func(req *http.Request) {
			req.Header.Set("Origin", "null")
			req.Header.Set("Sec-Fetch-Site", "cross-site")
		},
	} {
		res := b.sendOnce(http.MethodPost, to.String(), f.FillIn(r.person()), edit)
		r.require(res.Status >= 400, "%s: the form returned %d", why, res.Status)
	}
	// The attacker's own form in the victim's browser.
	attacker := r.browser()
	theirs := attacker.authorize(r.newRequest(r.target.Web, codeFlow()))
	f = r.requireSignInForm(theirs)
	for _, origin := range []string{"", "null"} { // browsers without Fetch Metadata send null for their own forms
		res := r.browser().sendOnce(http.MethodPost, to.String(), f.FillIn(r.person()), func(req *http.Request) {
			if origin != "" {
				req.Header.Set("Origin", origin)
				req.Header.Del("Sec-Fetch-Site")
			}
		})
		r.require(res.Status >= 400, "Origin %q: a form without its browser's cookie returned %d", origin, res.Status)
	}
}

func checkSessionFixation(r *run) {
	attacker, victim := r.browser(), r.browser()
	request := r.newRequest(r.target.Web, codeFlow())
	p := attacker.authorize(request)
	f := r.requireSignInForm(p)
	seen := victim.get(p.URL.String())
	_, asks := seen.PasswordForm()
	r.require(!asks || seen.URL.String() != p.URL.String() || seen.Status >= 400,
		"another browser opens the attacker's sign-in page")
	finished := victim.submit(p, f, f.FillIn(r.person()))
	_, answered := finished.AuthorizationResponse(request.Get("redirect_uri"))
	r.require(!answered && finished.Status >= 400,
		"another browser finished the attacker's sign-in (status %d)", finished.Status)
	silent := r.newRequest(r.target.Web, codeFlow(), "prompt", "none")
	r.requireError(attacker.authorizeSilently(silent), silent, loginErrors()...)

	// A cookie from before the sign-in must be worthless after it.
	b := r.browser()
	p = b.authorize(request)
	u, err := url.Parse(r.target.Issuer)
	r.require(err == nil, "the issuer is not a URL")
	before := b.robot.Jar.Cookies(u)
	b.finishSignIn(p, r.person(), request.Get("redirect_uri"))
	thief := r.browser()
	thief.robot.Jar.SetCookies(u, secureCookies(before, u))
	r.requireError(thief.authorizeSilently(silent), silent, loginErrors()...)
	// A second sign-in in the same browser makes the first cookie worthless as
	// well.
	first := b.robot.Jar.Cookies(u)
	again := r.newRequest(r.target.Web, codeFlow(), "prompt", "login")
	b.signIn(again)
	old := r.browser()
	old.robot.Jar.SetCookies(u, secureCookies(first, u))
	r.requireError(old.authorizeSilently(silent), silent, loginErrors()...)
}

// secureCookies returns cookies that a jar returned in a form that another jar
// accepts.
func secureCookies(cookies []*http.Cookie, u *url.URL) []*http.Cookie {
	out := make([]*http.Cookie, 0, len(cookies))
	for _, c := range cookies {
		out = append(out, &http.Cookie{ //nolint:gosec // goes into a cookie jar, not to a browser
			Name: c.Name, Value: c.Value, Path: "/", Secure: u.Scheme == "https",
		})
	}
	return out
}

func checkPromptNone(r *run) {
	b := r.browser()
	for _, v := range []variant{{"code", ""}, {"code", "form_post"}} {
		request := r.newRequest(r.target.Web, v, "prompt", "none")
		r.requireError(b.authorizeSilently(request), request, loginErrors()...)
	}
	b.obtainCode(r.target.Web)
	r.passTime(2 * time.Second)
	request := r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "max_age", "1")
	r.requireError(b.authorizeSilently(request), request, loginErrors()...)
	request = r.newRequest(r.target.Web, codeFlow(), "prompt", "none")
	r.requireSuccess(b.authorizeSilently(request), request)
}

func checkFreshSignIn(r *run) {
	b := r.browser()
	first := r.runFlow(b, r.target.Web, codeFlow(), "max_age", "15000")
	for _, changes := range [][]string{
		{"prompt", "login", "max_age", "15000"},
		{"max_age", "0"},
		{"max_age", "1"},
		{"prompt", "select_account", "max_age", "15000"},
	} {
		r.passTime(2 * time.Second)
		request := r.newRequest(r.target.Web, codeFlow(), changes...)
		p := b.authorize(request)
		r.requireSignInForm(p)
		// Asking again in any way leads back to the password.
		r.requireSignInForm(b.get(p.URL.String()))
		r.requireSignInForm(b.authorize(request))
		second := r.finishFlow(r.target.Web, request, b.finishSignIn(p, r.person(), request.Get("redirect_uri")))
		r.require(r.requireNumber(second.claims, "auth_time") > r.requireNumber(first.claims, "auth_time"),
			"%v: auth_time has not changed", changes)
	}
	request := r.newRequest(r.target.Web, codeFlow(), "max_age", "-1")
	r.requireError(b.authorizeSilently(request), request, "invalid_request")
}

func checkForeignHint(r *run) {
	r.skipWithout("second person", r.otherPerson().Username != "")
	b := r.browser()
	own := r.runFlow(b, r.target.Web, codeFlow())
	request := r.newRequest(r.target.Web, codeFlow())
	theirs := r.finishFlow(r.target.Web, request, r.browser().signInAs(r.otherPerson(), request))
	parts := strings.Split(own.idToken, ".")
	now := r.target.Now().Unix()
	claims := map[string]any{
		"iss": r.target.Issuer,
		"aud": r.target.Web.ID,
		"sub": theirs.claims["sub"],
		"iat": now,
		"exp": now + 60,
	}
	foreign := map[string]any{
		"iss": "https://evil.example",
		"aud": r.target.Web.ID,
		"sub": own.claims["sub"],
		"iat": now,
		"exp": now + 60,
	}
	for why, hint := range map[string]string{
		"of another person":          theirs.idToken,
		"unsigned":                   unsignedObject(claims),
		"with a changed signature":   parts[0] + "." + parts[1] + "." + strings.Split(theirs.idToken, ".")[2],
		"with a changed body":        parts[0] + "." + strings.Split(theirs.idToken, ".")[1] + "." + parts[2],
		"signed with an unknown key": r.signClaims(jose.ES256, generateKey(r), "", claims),
		"of another issuer":          r.signClaims(jose.ES256, generateKey(r), "", foreign),
		"that is not a token":        "nonsense",
	} {
		ask := r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "id_token_hint", hint)
		response := b.authorizeSilently(ask)
		r.require(response.Get("error") != "" && !response.Has("code"),
			"with a hint %s the response has %s", why, strings.Join(sortedNames(response.Values), ", "))
		anonymous := r.browser().authorizeSilently(ask)
		r.require(anonymous.Get("error") != "", "a hint %s is accepted without a session", why)
	}
}

func checkPasswordGuessing(r *run) {
	b := r.browser()
	name := "guessed-" + randomString(8)
	limited := false
	for range 12 {
		p := b.authorize(r.newRequest(r.target.Web, codeFlow()))
		f := r.requireSignInForm(p)
		p = b.submit(p, f, f.FillIn(Person{Username: name, Password: "wrong"}))
		if p.Status == http.StatusTooManyRequests {
			limited = true
			r.require(p.Header.Get("Retry-After") != "", "the wait is not said in Retry-After")
			break
		}
	}
	r.require(limited, "twelve wrong passwords in a row are not delayed")
	r.browser().obtainCode(r.target.Web) // no other client is slowed down
}

func checkUnknownUser(r *run) {
	try := func(username string) *robot.Page {
		b := r.browser()
		p := b.authorize(r.newRequest(r.target.Web, codeFlow()))
		f := r.requireSignInForm(p)
		return b.submit(p, f, f.FillIn(Person{Username: username, Password: "wrong-" + randomString(8)}))
	}
	ghost := "ghost" + randomString(4)
	known, unknown := try(r.person().Username), try(ghost)
	r.require(known.Status == unknown.Status,
		"a wrong password returns %d, an unknown username %d", known.Status, unknown.Status)
	r.require(len(known.Attributes("p", "id")) == len(unknown.Attributes("p", "id")),
		"the two pages have a different structure")
	knownText, unknownText := known.AlertText(), unknown.AlertText()
	r.require(knownText == unknownText && knownText != "",
		"for a wrong password the page says %q, for an unknown username %q", knownText, unknownText)
}

func checkKeyInHeader(r *run) {
	b := r.browser()
	own := r.runFlow(b, r.target.Web, codeFlow())
	key := generateKey(r)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key},
		(&jose.SignerOptions{EmbedJWK: true}).WithType("JWT"))
	r.require(err == nil, "no signer: %v", err)
	hint := r.signWith(signer, own.claims)
	header, _ := r.verifyJWT(own.idToken)
	known := r.signClaims(jose.ES256, key, header.KeyID, own.claims)
	for why, token := range map[string]string{"with its key in the header": hint, "with the provider's kid": known} {
		request := r.newRequest(r.target.Web, codeFlow(), "prompt", "none", "id_token_hint", token)
		response := b.authorizeSilently(request)
		r.require(response.Get("error") != "", "a hint %s is believed", why)
		r.require(r.fetchUserinfo(token).Status == http.StatusUnauthorized, "a token %s is accepted at userinfo", why)
		if r.metadata().EndSessionEndpoint != "" {
			b.openEndSession(newValues("id_token_hint", token))
			r.requireSignedIn(b, codeFlow())
		}
	}
}

func logoutAttacks() []Check {
	return []Check{
		{
			Name:        "attack/81-logout-by-image",
			Requirement: "A sign-out without a hint asks, and only the person's own confirmation ends the session.",
			do:          checkLogoutByImage,
		},
		{
			Name:        "attack/82-unregistered-post-logout",
			Requirement: "A post-logout redirect URI that is not registered is never used.",
			do: func(r *run) {
				for _, uri := range []string{
					"https://evil.example/", r.target.Web.RedirectURI, "javascript:alert(1)", "//evil.example",
				} {
					b := r.browser()
					flow := r.signInForLogout(b, codeFlow())
					p := b.confirmLogout(b.openEndSession(newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri", uri)))
					r.require(p.Location == "" && r.nextURL(p) == "", "the sign-out leads to %q", p.Location+r.nextURL(p))
					r.require(!strings.Contains(p.Body, `href="`+uri), "the page links to %q", uri)
				}
			},
		},
	}
}

func checkLogoutByImage(r *run) {
	r.skipWithout("end_session_endpoint", r.metadata().EndSessionEndpoint != "")
	b := r.browser()
	b.obtainCode(r.target.Web)
	p := b.openEndSession(nil)
	r.requirePage(p, http.StatusOK)
	r.requireSignedIn(b, codeFlow())
	forms := p.Forms()
	r.require(len(forms) > 0, "the page does not ask")
	to, err := p.URL.Parse(forms[0].Action)
	r.require(err == nil, "the form leads to %q", forms[0].Action)
	// Another site cannot submit the form, because it does not know its fields.
	empty := b.sendOnce(http.MethodPost, to.String(), url.Values{"request": {"x"}},
		func(req *http.Request) { req.Header.Set("Sec-Fetch-Site", "cross-site") })
	r.require(empty.Status >= 400, "a forged confirmation returned %d", empty.Status)
	r.requireSignedIn(b, codeFlow())
	// A confirmation from another browser does not count either.
	other := r.browser()
	other.obtainCode(r.target.Web)
	theirs := other.openEndSession(nil).Forms()
	r.require(len(theirs) > 0, "the page does not ask")
	b.sendOnce(http.MethodPost, to.String(), theirs[0].Agree())
	r.requireSignedIn(b, codeFlow())
	b.submit(p, forms[0], forms[0].Agree())
	r.requireSignedOut(b, codeFlow())
}
