package conformance

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"idpbridge/internal/robot"
)

// logoutModules are the plan RP-Initiated Logout.
func logoutModules() []module {
	const name = "oidcc-rp-initiated-logout"
	ends := func(suffix, says string, do func(r *run, o outcome) url.Values) module {
		return module{name + suffix, says, nil, false, func(r *run, v variant) { signsOut(r, v, do) }}
	}
	stays := func(suffix, says string, do func(r *run, o outcome) url.Values) module {
		return module{name + suffix, says, nil, false, func(r *run, v variant) { leadsNowhere(r, v, do) }}
	}
	hinted := func(o outcome, more ...string) url.Values {
		return pairs(append([]string{"id_token_hint", o.idText}, more...)...)
	}
	post := func(r *run) string { return r.target.Web.PostLogoutRedirectURI }
	return []module{
		{name + "-discovery-endpoint-verification", "Discovery names an end_session_endpoint.", onlyCode, false, func(r *run, _ variant) {
			r.https("end_session_endpoint", r.meta().EndSessionEndpoint)
		}},
		{name, "A sign-out with hint, address and state ends the session and comes back with that state.", nil, false, func(r *run, v variant) {
			returns(r, v, "aZ0 ~!@#$%^&*()_+-=[]{}|;':,./<>?`\"\\ end of state")
		}},
		{name + "-no-state", "Without state the address comes back without one.", nil, false, func(r *run, v variant) { returns(r, v, "") }},
		ends("-no-params", "Without anything the person signs out.", func(*run, outcome) url.Values { return url.Values{} }),
		ends("-only-state", "With state alone the person signs out.", func(*run, outcome) url.Values { return pairs("state", random(10)) }),
		ends("-no-post-logout-redirect-uri", "Without an address a page says that it is done.", func(_ *run, o outcome) url.Values {
			return hinted(o, "state", random(10))
		}),
		stays("-no-id-token-hint", "An address without a hint is not followed.", func(r *run, _ outcome) url.Values {
			return pairs("post_logout_redirect_uri", post(r), "state", random(10))
		}),
		stays("-bad-post-logout-redirect-uri", "An address that is not registered is not followed.", func(r *run, o outcome) url.Values {
			return hinted(o, "post_logout_redirect_uri", strings.TrimSuffix(post(r), "/")+"/bad_post_logout_redirect_uri")
		}),
		stays("-query-added-to-post-logout-redirect-uri", "A query added to a registered address makes another one.", func(r *run, o outcome) url.Values {
			return hinted(o, "post_logout_redirect_uri", withQuery(post(r), "foo=bar"))
		}),
		stays("-modified-id-token-hint", "A hint without a signature is none.", func(r *run, o outcome) url.Values {
			parts := strings.Split(o.idText, ".")
			none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg": "none"}`)) + "." + parts[1] + "."
			return pairs("id_token_hint", none, "post_logout_redirect_uri", post(r))
		}),
		stays("-bad-id-token-hint", "A hint that the client has signed itself is none.", func(r *run, o outcome) url.Values {
			c := r.target.Web
			now := r.target.Now().Unix()
			forged := r.signed(jose.HS256, []byte(c.Secret), "", map[string]any{
				"iss": c.ID, "aud": r.target.Issuer, "sub": o.claims["sub"], "iat": now, "exp": now + 300,
			})
			return pairs("id_token_hint", forged, "post_logout_redirect_uri", post(r))
		}),
	}
}

func pairs(of ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(of); i += 2 {
		v.Set(of[i], of[i+1])
	}
	return v
}

// signedIn signs in for a check of sign-outs. Response types without an ID token
// in the end do not exist: a code gives one.
func (r *run) signedIn(b *browser, v variant) outcome {
	r.needs("post-logout redirect URI", r.target.Web.PostLogoutRedirectURI != "")
	r.must(r.meta().EndSessionEndpoint != "", "discovery names no end_session_endpoint")
	return r.happy(b, r.target.Web, v)
}

// leave opens the end_session_endpoint.
func (b *browser) leave(v url.Values) *robot.Page {
	address := b.r.meta().EndSessionEndpoint
	if len(v) > 0 {
		address = withQuery(address, v.Encode())
	}
	return b.get(address)
}

// signedOut demands that nobody is signed in in the browser.
func (r *run) signedOut(b *browser, v variant) {
	q := r.request(r.target.Web, v, "prompt", "none")
	r.refused(b.silent(q), q, nobody()...)
}

// stillIn demands that the person still is.
func (r *run) stillIn(b *browser, v variant) {
	q := r.request(r.target.Web, v, "prompt", "none")
	r.good(b.silent(q), q)
}

// onward is where a sign-out leads in the end: the redirect, or where the page
// that ends it goes on to.
func (r *run) onward(p *robot.Page) string {
	if p.Location != "" {
		return p.Location
	}
	for i, id := range p.Attributes("a", "id") {
		if id == "op-continue" {
			return p.Attributes("a", "href")[i]
		}
	}
	for _, content := range p.Attributes("meta", "content") {
		if _, after, ok := strings.Cut(strings.ToLower(content), "url="); ok {
			return content[len(content)-len(after):]
		}
	}
	return ""
}

func returns(r *run, v variant, state string) {
	b := r.browser()
	o := r.signedIn(b, v)
	ask := pairs("id_token_hint", o.idText, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI)
	if state != "" {
		ask.Set("state", state)
	}
	p := b.confirmed(b.leave(ask))
	got, ok := r.cameBack(r.onward(p))
	r.must(ok, "the sign-out leads to %q (status %d)", r.onward(p), p.Status)
	r.must(got.Get("state") == state && got.Has("state") == (state != ""), "state came back as %q instead of %q", got.Get("state"), state)
	for name := range got {
		r.should(name == "state", "the address came back with %s", name)
	}
	r.signedOut(b, v)
}

// cameBack reads what was added to the post-logout redirect URI; false where an
// address is another one.
func (r *run) cameBack(address string) (added url.Values, ok bool) {
	rest, ok := strings.CutPrefix(address, r.target.Web.PostLogoutRedirectURI)
	if !ok || rest != "" && rest[0] != '?' && rest[0] != '&' {
		return nil, false
	}
	added, err := url.ParseQuery(strings.TrimLeft(rest, "?&"))
	return added, err == nil
}

// confirmed presses the button that confirms a sign-out, where there is one.
func (b *browser) confirmed(p *robot.Page) *robot.Page {
	forms := p.Forms()
	if p.Location != "" || len(forms) == 0 || p.Status >= 300 {
		return p
	}
	if _, asks := p.PasswordForm(); asks {
		return p
	}
	return b.submit(p, forms[0], forms[0].Agree())
}

func signsOut(r *run, v variant, do func(*run, outcome) url.Values) {
	b := r.browser()
	o := r.signedIn(b, v)
	p := b.confirmed(b.leave(do(r, o)))
	r.pageShown(p, http.StatusOK)
	r.must(r.onward(p) == "", "the page leads on to %q, which nobody asked for", r.onward(p))
	r.signedOut(b, v)
}

// leadsNowhere demands a page: an error, or a question. Its answer must not lead
// to an address that is not registered, and should lead nowhere.
func leadsNowhere(r *run, v variant, do func(*run, outcome) url.Values) {
	b := r.browser()
	o := r.signedIn(b, v)
	p := b.leave(do(r, o))
	r.pageShown(p, http.StatusOK, http.StatusBadRequest, http.StatusForbidden)
	r.must(r.onward(p) == "", "the page leads on to %q", r.onward(p))
	to := r.onward(b.confirmed(p))
	added, registered := r.cameBack(to)
	added.Del("state")
	r.must(to == "" || registered && len(added) == 0, "after a yes the person is sent to %q", to)
	r.should(to == "", "after a yes the person is sent to %q, though no genuine hint says who asks", to)
}

// backchannelModules are the plan Back-Channel Logout.
func backchannelModules() []module {
	return []module{
		{"oidcc-backchannel-rp-initiated-logout-discovery-endpoint-verification", "Discovery says that logouts are told by the back channel.", onlyCode, false, func(r *run, _ variant) {
			r.https("end_session_endpoint", r.meta().EndSessionEndpoint)
			for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported"} {
				r.must(string(r.meta().all[name]) == "true", "%s is %s", name, r.meta().all[name])
			}
		}},
		{"oidcc-backchannel-rp-initiated-logout", "A sign-out is told to the client by a logout token.", nil, false, oidccBackchannel},
	}
}

// logoutWait is how long a logout token may take to arrive, in real time.
const logoutWait = 20 * time.Second

func oidccBackchannel(r *run, v variant) {
	if !r.meta().BackchannelLogout {
		r.skip("backchannel_logout_supported is not true")
	}
	r.needs("address for logout tokens", r.target.Logouts != nil && r.target.Web.BackchannelLogoutURI != "")
	b := r.browser()
	o := r.signedIn(b, v)
	sid, _ := o.claims["sid"].(string)
	r.must(sid != "", "the ID token has no sid, though backchannel_logout_session_supported says so")
	p := b.leave(pairs("id_token_hint", o.idText, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI, "state", "s"))
	r.must(strings.HasPrefix(r.onward(p), r.target.Web.PostLogoutRedirectURI), "the sign-out leads to %q (status %d)", r.onward(p), p.Status)
	r.signedOut(b, v)
	token := r.logoutToken(r.target.Web, o.claims)
	header, t := r.open(token)
	r.should(header.ExtraHeaders[jose.HeaderType] == "logout+jwt", "typ is %v, not logout+jwt", header.ExtraHeaders[jose.HeaderType])
	now := float64(r.target.Now().Unix())
	iat := r.number(t, "iat")
	r.must(t["iss"] == r.target.Issuer, "iss is %v", t["iss"])
	r.must(audience(t["aud"], r.target.Web.ID), "aud is %v", t["aud"])
	r.must(iat > now-300 && iat < now+300, "iat is %v, now is %.0f", iat, now)
	if exp, has := t["exp"].(float64); has {
		r.must(exp > now, "exp is %.0f, now is %.0f", exp, now)
	}
	jti, _ := t["jti"].(string)
	r.must(jti != "", "jti is missing")
	events, _ := t["events"].(map[string]any)
	event, has := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	r.must(has && len(events) == 1 && len(event) == 0, "events is %v", t["events"])
	r.must(t["sid"] == sid, "sid is %v, in the ID token it was %v", t["sid"], sid)
	if sub, has := t["sub"]; has {
		r.must(sub == o.claims["sub"], "sub is %v, in the ID token it was %v", sub, o.claims["sub"])
	}
	_, has = t["nonce"]
	r.must(!has, "the logout token has a nonce")
}

// logoutToken waits for the logout token of a sign-in to arrive, in the form that
// is due, and returns it.
func (r *run) logoutToken(c Client, claims map[string]any) string {
	u, err := url.Parse(c.BackchannelLogoutURI)
	r.must(err == nil, "the client's backchannel_logout_uri is no address")
	got, err := r.target.Logouts.Await(r.ctx, logoutWait, func(got Received) bool {
		return got.Path == u.Path && peek(got.Form.Get("logout_token"))["sid"] == claims["sid"]
	})
	r.must(err == nil, "no logout token came: %v", err)
	r.must(got.Method == http.MethodPost && strings.HasPrefix(got.Kind, robot.FormEncoded), "the logout came as %s %s", got.Method, got.Kind)
	r.must(len(got.Form) == 1 && len(got.Form["logout_token"]) == 1, "the logout came with %s", strings.Join(names(got.Form), ", "))
	return got.Form.Get("logout_token")
}

// frontchannelModules are the plan Front-Channel Logout.
func frontchannelModules() []module {
	return []module{
		{"oidcc-frontchannel-rp-initiated-logout-discovery-endpoint-verification", "Discovery says that logouts are told by the front channel.", onlyCode, false, func(r *run, _ variant) {
			r.https("end_session_endpoint", r.meta().EndSessionEndpoint)
			for _, name := range []string{"frontchannel_logout_supported", "frontchannel_logout_session_supported"} {
				r.must(string(r.meta().all[name]) == "true", "%s is %s", name, r.meta().all[name])
			}
		}},
		{"oidcc-frontchannel-rp-initiated-logout", "A sign-out is told to the client by a frame, before the browser goes on.", nil, false, oidccFrontchannel},
	}
}

func oidccFrontchannel(r *run, v variant) {
	if !r.meta().FrontchannelLogout {
		r.skip("frontchannel_logout_supported is not true")
	}
	r.needs("client with a frontchannel_logout_uri", r.target.Web.FrontchannelLogoutURI != "")
	b := r.browser()
	o := r.signedIn(b, v)
	p := b.leave(pairs("id_token_hint", o.idText, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI, "state", "s"))
	r.must(p.Location == "", "the browser was sent on to %s before any frame was loaded", robot.Excerpt(p.Location))
	frames := p.Attributes("iframe", "src")
	r.must(len(frames) == 1, "there are %d frames for the one client of the session", len(frames))
	before, raw, _ := strings.Cut(frames[0], "?")
	given, err := url.ParseQuery(raw)
	r.must(err == nil && before == r.target.Web.FrontchannelLogoutURI, "the frame loads %q", frames[0])
	r.must(given.Get("iss") == r.target.Issuer, "iss is %q", given.Get("iss"))
	r.must(given.Get("sid") != "" && given.Get("sid") == o.claims["sid"], "sid is %q, in the ID token it was %v", given.Get("sid"), o.claims["sid"])
	for name := range given {
		r.should(name == "iss" || name == "sid", "the frame's address has %s", name)
	}
	r.frameLoads(p, before)
	r.must(r.onward(p) == withQuery(r.target.Web.PostLogoutRedirectURI, "state=s"), "the page leads on to %q", r.onward(p))
	r.signedOut(b, v)
}

// frameLoads demands that nothing on the page keeps its frame from loading, or
// from reading its own cookies.
func (r *run) frameLoads(p *robot.Page, address string) {
	r.must(!p.HasAttribute("iframe", "sandbox"), "the frame is in a sandbox, where the client does not find its cookies")
	r.must(!slices.Contains(p.Attributes("iframe", "loading"), "lazy"), "the frame is loaded when it is seen, which may be never")
	u, err := url.Parse(address)
	r.must(err == nil, "the frame loads %q", address)
	for _, policy := range p.Header.Values("Content-Security-Policy") {
		rules := map[string][]string{}
		for rule := range strings.SplitSeq(policy, ";") {
			if words := strings.Fields(rule); len(words) > 0 {
				rules[words[0]] = words[1:]
			}
		}
		for _, name := range []string{"frame-src", "child-src", "default-src"} {
			allowed, has := rules[name]
			if !has {
				continue
			}
			fits := slices.ContainsFunc([]string{"*", u.Scheme + ":", u.Host, u.Scheme + "://" + u.Host, address}, func(s string) bool { return slices.Contains(allowed, s) })
			r.must(fits, "the page's policy does not let the frame load: %s", policy)
			break
		}
	}
}
