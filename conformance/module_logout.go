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

// logoutModules returns the modules of the plan RP-Initiated Logout.
func logoutModules() []module {
	const name = "oidcc-rp-initiated-logout"
	signsOut := func(suffix, requirement string, do func(r *run, flow flowResult) url.Values) module {
		return module{name: name + suffix, requirement: requirement, do: func(r *run, v variant) { checkSignOut(r, v, do) }}
	}
	goesNowhere := func(suffix, requirement string, do func(r *run, flow flowResult) url.Values) module {
		return module{
			name:        name + suffix,
			requirement: requirement,
			do:          func(r *run, v variant) { checkNoRedirect(r, v, do) },
		}
	}
	hinted := func(flow flowResult, more ...string) url.Values {
		return newValues(append([]string{"id_token_hint", flow.idToken}, more...)...)
	}
	post := func(r *run) string { return r.target.Web.PostLogoutRedirectURI }
	return []module{
		{
			name:        name + "-discovery-endpoint-verification",
			requirement: "Discovery names an end_session_endpoint.",
			appliesTo:   isCode,
			do: func(r *run, _ variant) {
				r.requireHTTPS("end_session_endpoint", r.metadata().EndSessionEndpoint)
			},
		},
		{
			name:        name,
			requirement: "A sign-out with hint, redirect URI and state ends the session and returns the state.",
			do: func(r *run, v variant) {
				checkReturn(r, v, "aZ0 ~!@#$%^&*()_+-=[]{}|;':,./<>?`\"\\ end of state")
			},
		},
		{
			name:        name + "-no-state",
			requirement: "Without state the redirect URI is used without one.",
			do:          func(r *run, v variant) { checkReturn(r, v, "") },
		},
		signsOut("-no-params", "Without parameters the person is signed out.",
			func(*run, flowResult) url.Values { return url.Values{} }),
		signsOut("-only-state", "With only state the person is signed out.",
			func(*run, flowResult) url.Values { return newValues("state", randomString(10)) }),
		signsOut("-no-post-logout-redirect-uri", "Without a redirect URI a page confirms the sign-out.",
			func(_ *run, flow flowResult) url.Values {
				return hinted(flow, "state", randomString(10))
			}),
		goesNowhere("-no-id-token-hint", "A redirect URI without a hint is not followed.",
			func(r *run, _ flowResult) url.Values {
				return newValues("post_logout_redirect_uri", post(r), "state", randomString(10))
			}),
		goesNowhere("-bad-post-logout-redirect-uri", "A redirect URI that is not registered is not followed.",
			func(r *run, flow flowResult) url.Values {
				return hinted(flow, "post_logout_redirect_uri", strings.TrimSuffix(post(r), "/")+"/bad_post_logout_redirect_uri")
			}),
		goesNowhere("-query-added-to-post-logout-redirect-uri", "A redirect URI with an added query is a different one.",
			func(r *run, flow flowResult) url.Values {
				return hinted(flow, "post_logout_redirect_uri", appendQuery(post(r), "foo=bar"))
			}),
		goesNowhere("-modified-id-token-hint", "An unsigned hint is not accepted.", func(r *run, flow flowResult) url.Values {
			parts := strings.Split(flow.idToken, ".")
			none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg": "none"}`)) + "." + parts[1] + "."
			return newValues("id_token_hint", none, "post_logout_redirect_uri", post(r))
		}),
		goesNowhere("-bad-id-token-hint", "A hint signed by the client itself is not accepted.",
			func(r *run, flow flowResult) url.Values {
				c := r.target.Web
				now := r.target.Now().Unix()
				forged := r.signClaims(jose.HS256, []byte(c.Secret), "", map[string]any{
					"iss": c.ID, "aud": r.target.Issuer, "sub": flow.claims["sub"], "iat": now, "exp": now + 300,
				})
				return newValues("id_token_hint", forged, "post_logout_redirect_uri", post(r))
			}),
	}
}

func newValues(of ...string) url.Values {
	v := url.Values{}
	for i := 0; i+1 < len(of); i += 2 {
		v.Set(of[i], of[i+1])
	}
	return v
}

// signInForLogout signs in for a check of sign-outs. Every response type leads
// to an ID token; with a code it comes from the token endpoint.
func (r *run) signInForLogout(b *browser, v variant) flowResult {
	r.skipWithout("post-logout redirect URI", r.target.Web.PostLogoutRedirectURI != "")
	r.require(r.metadata().EndSessionEndpoint != "", "discovery names no end_session_endpoint")
	return r.runFlow(b, r.target.Web, v)
}

// openEndSession opens the end_session_endpoint.
func (b *browser) openEndSession(v url.Values) *robot.Page {
	rawURL := b.r.metadata().EndSessionEndpoint
	if len(v) > 0 {
		rawURL = appendQuery(rawURL, v.Encode())
	}
	return b.get(rawURL)
}

// requireSignedOut requires that no user is signed in in the browser.
func (r *run) requireSignedOut(b *browser, v variant) {
	request := r.newRequest(r.target.Web, v, "prompt", "none")
	r.requireError(b.authorizeSilently(request), request, loginErrors()...)
}

// requireSignedIn requires that the person is still signed in.
func (r *run) requireSignedIn(b *browser, v variant) {
	request := r.newRequest(r.target.Web, v, "prompt", "none")
	r.requireSuccess(b.authorizeSilently(request), request)
}

// nextURL returns where a sign-out leads: the target of the redirect, or of the
// page that ends the sign-out.
func (r *run) nextURL(p *robot.Page) string {
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

func checkReturn(r *run, v variant, state string) {
	b := r.browser()
	flow := r.signInForLogout(b, v)
	ask := newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI)
	if state != "" {
		ask.Set("state", state)
	}
	p := b.confirmLogout(b.openEndSession(ask))
	got, ok := r.parseReturnURL(r.nextURL(p))
	r.require(ok, "the sign-out leads to %q (status %d)", r.nextURL(p), p.Status)
	r.require(got.Get("state") == state && got.Has("state") == (state != ""),
		"state is %q instead of %q", got.Get("state"), state)
	for name := range got {
		r.warnUnless(name == "state", "the redirect URI came back with %s", name)
	}
	r.requireSignedOut(b, v)
}

// parseReturnURL returns the parameters that were added to the post-logout
// redirect URI. It returns false if the URL is another one.
func (r *run) parseReturnURL(rawURL string) (added url.Values, ok bool) {
	rest, ok := strings.CutPrefix(rawURL, r.target.Web.PostLogoutRedirectURI)
	if !ok || rest != "" && rest[0] != '?' && rest[0] != '&' {
		return nil, false
	}
	added, err := url.ParseQuery(strings.TrimLeft(rest, "?&"))
	return added, err == nil
}

// confirmLogout confirms a sign-out if the page asks for that.
func (b *browser) confirmLogout(p *robot.Page) *robot.Page {
	forms := p.Forms()
	if p.Location != "" || len(forms) == 0 || p.Status >= 300 {
		return p
	}
	if _, asks := p.PasswordForm(); asks {
		return p
	}
	return b.submit(p, forms[0], forms[0].Agree())
}

func checkSignOut(r *run, v variant, do func(*run, flowResult) url.Values) {
	b := r.browser()
	flow := r.signInForLogout(b, v)
	p := b.confirmLogout(b.openEndSession(do(r, flow)))
	r.requirePage(p, http.StatusOK)
	r.require(r.nextURL(p) == "", "the page leads to %q, which was not requested", r.nextURL(p))
	r.requireSignedOut(b, v)
}

// checkNoRedirect requires an error page or a question. Confirming must not
// lead to a URL that is not registered, and should lead nowhere.
func checkNoRedirect(r *run, v variant, do func(*run, flowResult) url.Values) {
	b := r.browser()
	flow := r.signInForLogout(b, v)
	p := b.openEndSession(do(r, flow))
	r.requirePage(p, http.StatusOK, http.StatusBadRequest, http.StatusForbidden)
	r.require(r.nextURL(p) == "", "the page leads to %q", r.nextURL(p))
	to := r.nextURL(b.confirmLogout(p))
	added, registered := r.parseReturnURL(to)
	added.Del("state")
	r.require(to == "" || registered && len(added) == 0, "confirming leads to %q", to)
	r.warnUnless(to == "", "confirming leads to %q although the request had no valid hint", to)
}

// backchannelModules returns the modules of the plan Back-Channel Logout.
func backchannelModules() []module {
	return []module{
		{
			name:        "oidcc-backchannel-logout-discovery-endpoint-verification",
			requirement: "Discovery announces back-channel logout.",
			appliesTo:   isCode,
			do: func(r *run, _ variant) {
				r.requireHTTPS("end_session_endpoint", r.metadata().EndSessionEndpoint)
				for _, name := range []string{"backchannel_logout_supported", "backchannel_logout_session_supported"} {
					r.require(string(r.metadata().all[name]) == "true", "%s is %s", name, r.metadata().all[name])
				}
			},
		},
		{
			name:        "oidcc-backchannel-rp-initiated-logout",
			requirement: "The client gets a logout token after a sign-out.",
			do:          oidccBackchannel,
		},
	}
}

// logoutWait is how long to wait for a logout token, in real time.
const logoutWait = 20 * time.Second

func oidccBackchannel(r *run, v variant) {
	if !r.metadata().BackchannelLogout {
		r.skipCheck("backchannel_logout_supported is not true")
	}
	r.skipWithout("receiver for logout tokens", r.target.Logouts != nil && r.target.Web.BackchannelLogoutURI != "")
	b := r.browser()
	flow := r.signInForLogout(b, v)
	sid, _ := flow.claims["sid"].(string)
	r.require(sid != "", "the ID token has no sid, although backchannel_logout_session_supported is true")
	p := b.openEndSession(newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri",
		r.target.Web.PostLogoutRedirectURI, "state", "s"))
	r.require(strings.HasPrefix(r.nextURL(p), r.target.Web.PostLogoutRedirectURI),
		"the sign-out leads to %q (status %d)", r.nextURL(p), p.Status)
	r.requireSignedOut(b, v)
	token := r.awaitLogoutToken(r.target.Web, flow.claims)
	header, t := r.verifyJWT(token)
	r.warnUnless(header.ExtraHeaders[jose.HeaderType] == "logout+jwt",
		"typ is %v, not logout+jwt", header.ExtraHeaders[jose.HeaderType])
	now := float64(r.target.Now().Unix())
	iat := r.requireNumber(t, "iat")
	r.require(t["iss"] == r.target.Issuer, "iss is %v", t["iss"])
	r.require(hasAudience(t["aud"], r.target.Web.ID), "aud is %v", t["aud"])
	r.require(iat > now-300 && iat < now+300, "iat is %v, now is %.0f", iat, now)
	if exp, has := t["exp"].(float64); has {
		r.require(exp > now, "exp is %.0f, now is %.0f", exp, now)
	}
	jti, _ := t["jti"].(string)
	r.require(jti != "", "jti is missing")
	events, _ := t["events"].(map[string]any)
	event, has := events["http://schemas.openid.net/event/backchannel-logout"].(map[string]any)
	r.require(has && len(events) == 1 && len(event) == 0, "events is %v", t["events"])
	r.require(t["sid"] == sid, "sid is %v, in the ID token it was %v", t["sid"], sid)
	if sub, has := t["sub"]; has {
		r.require(sub == flow.claims["sub"], "sub is %v, in the ID token it was %v", sub, flow.claims["sub"])
	}
	_, has = t["nonce"]
	r.require(!has, "the logout token has a nonce")
}

// awaitLogoutToken waits for the logout token of a sign-in and checks how it
// was sent.
func (r *run) awaitLogoutToken(c Client, claims map[string]any) string {
	u, err := url.Parse(c.BackchannelLogoutURI)
	r.require(err == nil, "the client's backchannel_logout_uri is not a URL")
	got, err := r.target.Logouts.Await(r.ctx, logoutWait, func(got Received) bool {
		return got.Path == u.Path && decodeClaims(got.Form.Get("logout_token"))["sid"] == claims["sid"]
	})
	r.require(err == nil, "no logout token arrived: %v", err)
	r.require(got.Method == http.MethodPost && strings.HasPrefix(got.ContentType, robot.FormEncoded),
		"the logout came as %s %s", got.Method, got.ContentType)
	r.require(len(got.Form) == 1 && len(got.Form["logout_token"]) == 1,
		"the logout came with %s", strings.Join(sortedNames(got.Form), ", "))
	return got.Form.Get("logout_token")
}

// frontchannelModules returns the modules of the plan Front-Channel Logout.
func frontchannelModules() []module {
	return []module{
		{
			name:        "oidcc-frontchannel-logout-discovery-endpoint-verification",
			requirement: "Discovery announces front-channel logout.",
			appliesTo:   isCode,
			do: func(r *run, _ variant) {
				r.requireHTTPS("end_session_endpoint", r.metadata().EndSessionEndpoint)
				for _, name := range []string{"frontchannel_logout_supported", "frontchannel_logout_session_supported"} {
					r.require(string(r.metadata().all[name]) == "true", "%s is %s", name, r.metadata().all[name])
				}
			},
		},
		{
			name:        "oidcc-frontchannel-rp-initiated-logout",
			requirement: "The client is notified of a sign-out by a frame before the browser is redirected.",
			do:          oidccFrontchannel,
		},
	}
}

func oidccFrontchannel(r *run, v variant) {
	if !r.metadata().FrontchannelLogout {
		r.skipCheck("frontchannel_logout_supported is not true")
	}
	r.skipWithout("client with a frontchannel_logout_uri", r.target.Web.FrontchannelLogoutURI != "")
	b := r.browser()
	flow := r.signInForLogout(b, v)
	p := b.openEndSession(newValues("id_token_hint", flow.idToken, "post_logout_redirect_uri",
		r.target.Web.PostLogoutRedirectURI, "state", "s"))
	r.require(p.Location == "", "the browser was redirected to %s before any frame was loaded", robot.Excerpt(p.Location))
	frames := p.Attributes("iframe", "src")
	r.require(len(frames) == 1, "there are %d frames for the one client of the session", len(frames))
	before, raw, _ := strings.Cut(frames[0], "?")
	given, err := url.ParseQuery(raw)
	r.require(err == nil && before == r.target.Web.FrontchannelLogoutURI, "the frame loads %q", frames[0])
	r.require(given.Get("iss") == r.target.Issuer, "iss is %q", given.Get("iss"))
	r.require(given.Get("sid") != "" && given.Get("sid") == flow.claims["sid"],
		"sid is %q, in the ID token it was %v", given.Get("sid"), flow.claims["sid"])
	for name := range given {
		r.warnUnless(name == "iss" || name == "sid", "the frame's URL has %s", name)
	}
	r.requireFrameLoads(p, before)
	r.require(r.nextURL(p) == appendQuery(r.target.Web.PostLogoutRedirectURI, "state=s"),
		"the page leads to %q", r.nextURL(p))
	r.requireSignedOut(b, v)
}

// requireFrameLoads requires that nothing on the page keeps its frame from
// loading or from reading its own cookies.
func (r *run) requireFrameLoads(p *robot.Page, rawURL string) {
	r.require(!p.HasAttribute("iframe", "sandbox"),
		"the frame is sandboxed, so the client does not get its cookies")
	r.require(!slices.Contains(p.Attributes("iframe", "loading"), "lazy"),
		"the frame is loaded lazily, which may be never")
	u, err := url.Parse(rawURL)
	r.require(err == nil, "the frame loads %q", rawURL)
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
			fits := slices.ContainsFunc([]string{"*", u.Scheme + ":", u.Host, u.Scheme + "://" + u.Host, rawURL},
				func(s string) bool { return slices.Contains(allowed, s) })
			r.require(fits, "the page's policy blocks the frame: %s", policy)
			break
		}
	}
}
