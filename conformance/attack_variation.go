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

// variationAttacks are variations on the rows that are easily forgotten.
func variationAttacks() []Check {
	return []Check{
		{Name: "extra/code-replayed-late", Says: "A code that comes back after it has expired still ends what it gave.", Alone: true, do: codeReplayedLate},
		{Name: "extra/hybrid-code-replayed", Says: "A replayed code ends the access token of the front channel as well.", do: hybridCodeReplayed},
		{Name: "extra/access-token-expires", Says: "An access token ends when it was said to.", Alone: true, do: accessTokenExpires},
		{Name: "extra/kinds-not-mixed", Says: "A code, an access token, a refresh token and an ID token are good for one thing each.", do: kindsNotMixed},
		{Name: "extra/refresh-token-forged", Says: "A refresh token cannot be made from another.", do: refreshTokenForged},
		{Name: "extra/assertion-spent-once", Says: "An assertion counts once, however many use it at once and at whichever endpoint.", do: assertionSpentOnce},
		{Name: "extra/session-cookie", Says: "Whatever cookie makes the session is out of reach of scripts, other sites and guesses.", do: sessionCookie},
		{Name: "extra/posted-request-makes-no-header", Says: "A posted request that is sent on by redirect brings no header or fragment of its own.", do: postedRequest},
		{Name: "extra/sign-out-hint-of-another-client", Says: "A hint does not sign out for a client that it was not made for.", do: anothersHint},
	}
}

// codeReplayedLate: RFC 6749 section 4.1.2 sets no time after which a replay may
// be overlooked: the refresh token of a stolen code lives for weeks.
func codeReplayedLate(r *run) {
	o := r.offline(r.browser(), r.target.Web, code())
	r.wait(10*time.Minute + time.Second)
	spent := o.answer.Get("code")
	r.tokenRefused(r.tryCode(r.target.Web, spent), http.StatusBadRequest, "invalid_grant")
	t := r.refresh(r.target.Web, o.tokens.RefreshToken)
	r.must(t.Status == http.StatusBadRequest, "the refresh token outlives the replay of an expired code")
}

func hybridCodeReplayed(r *run) {
	v := variant{responseType: "code token"}
	r.needs("response type code token", slices.Contains(r.meta().ResponseTypesSupported, v.responseType))
	q := r.request(r.target.Web, v)
	a := r.browser().signIn(q)
	r.good(a, q)
	front := a.Get("access_token")
	r.alive(front, "the access token of the front channel works")
	r.redeem(r.target.Web, a.Get("code"))
	r.alive(front, "redeeming the code ends nothing")
	r.tokenRefused(r.tryCode(r.target.Web, a.Get("code")), http.StatusBadRequest, "invalid_grant")
	r.dead(front, "after the replay the access token of the front channel must be dead")
}

func accessTokenExpires(r *run) {
	o := r.offline(r.browser(), r.target.Web, code())
	r.needs("access tokens whose life is told", o.tokens.ExpiresIn != nil)
	r.alive(o.access, "a new access token works")
	r.wait(time.Duration(*o.tokens.ExpiresIn+1) * time.Second)
	res := r.userinfo(o.access)
	r.must(res.Status == http.StatusUnauthorized, "an expired access token answers %d", res.Status)
	r.must(strings.Contains(res.Header.Get("WWW-Authenticate"), "invalid_token"), "WWW-Authenticate is %q (RFC 6750 section 3.1)", res.Header.Get("WWW-Authenticate"))
	if r.meta().IntrospectionEndpoint != "" {
		got := r.inspect(r.target.Web, o.access)
		r.must(got["active"] == false && len(got) == 1, "an expired access token is described: %v", got)
	}
}

func kindsNotMixed(r *run) {
	b := r.browser()
	o := r.offline(b, r.target.Web, code())
	unspent := b.code(r.target.Web)
	kinds := map[string]string{"code": unspent, "access token": o.access, "refresh token": o.tokens.RefreshToken, "ID token": o.idText}
	for kind, token := range kinds {
		if kind != "code" {
			t := r.tryCode(r.target.Web, token)
			r.must(t.Status == http.StatusBadRequest && t.Error == "invalid_grant", "an unspent %s as a code is answered by %d %s", kind, t.Status, t.Error)
		}
		if kind != "refresh token" {
			t := r.refresh(r.target.Web, token)
			r.must(t.Status == http.StatusBadRequest && t.Error == "invalid_grant", "a %s as a refresh token is answered by %d %s", kind, t.Status, t.Error)
		}
		if kind != "access token" {
			r.must(r.userinfo(token).Status == http.StatusUnauthorized, "a %s works at userinfo", kind)
		}
	}
	if r.meta().IntrospectionEndpoint != "" {
		for _, kind := range []string{"code", "ID token"} {
			r.must(r.inspect(r.target.Web, kinds[kind])["active"] == false, "a %s is introspected as an active token", kind)
		}
	}
	r.alive(o.access, "none of this ends the access token")
	r.redeem(r.target.Web, unspent) // nor the code
	r.refreshed(r.refresh(r.target.Web, o.tokens.RefreshToken))
}

func refreshTokenForged(r *run) {
	b := r.browser()
	mine := r.offline(b, r.target.Web, code()).tokens.RefreshToken
	other := r.offline(b, r.target.Web, code()).tokens.RefreshToken
	r.must(mine != other && len(mine) >= 22, "a refresh token of %d characters can be guessed, or is no other than the last", len(mine))
	forged := []string{mine + "A", mine[:len(mine)-1], other[:len(other)/2] + mine[len(mine)/2:]}
	for i := 0; i < len(mine); i += max(1, len(mine)/8) {
		changed := []byte(mine)
		changed[i] = map[bool]byte{true: 'B', false: 'A'}[changed[i] == 'A']
		forged = append(forged, string(changed))
	}
	for _, token := range forged {
		r.tokenRefused(r.refresh(r.target.Web, token), http.StatusBadRequest, "invalid_grant")
	}
	r.refreshed(r.refresh(r.target.Web, mine)) // a forgery costs its owner nothing
	r.refreshed(r.refresh(r.target.Web, other))
}

func assertionSpentOnce(r *run) {
	r.needs("client with private_key_jwt", r.target.Keyed.Key != nil)
	c, b := r.target.Keyed, r.browser()
	codes := make([]string, 6)
	for i := range codes {
		codes[i] = b.code(c)
	}
	shared := r.assertion(c)
	var won atomic.Int64
	r.together(len(codes), func(r *run, i int) {
		if t := r.asserted(codes[i], c, shared); t.Status == http.StatusOK {
			won.Add(1)
		}
	})
	r.must(won.Load() == 1, "%d of %d who used one assertion at once were believed", won.Load(), len(codes))
	for _, address := range []string{r.meta().RevocationEndpoint, r.meta().IntrospectionEndpoint, r.meta().PAREndpoint} {
		if address == "" {
			continue
		}
		form := url.Values{"token": {"x"}, "client_assertion": {shared}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}
		res := r.fetch(http.MethodPost, address, form)
		r.must(res.Status >= 400 && res.Status < 500, "%s believes a spent assertion: %d", address, res.Status)
	}
}

// sessionCookie looks for the cookies without which the person is not signed in.
func sessionCookie(r *run) {
	b := r.browser()
	q := r.request(r.target.Web, code())
	p := b.authorize(q)
	res, to := b.password(p)
	set := (&http.Response{Header: res.Header}).Cookies()
	r.needs("sign-in that ends with its first form", len(set) > 0)
	r.stillIn(b, code())
	silent := r.request(r.target.Web, code(), "prompt", "none")
	makes := 0
	for _, c := range set {
		without := r.browser()
		without.robot.Jar.SetCookies(to, secured(slices.DeleteFunc(b.robot.Jar.Cookies(to), func(k *http.Cookie) bool { return k.Name == c.Name }), to))
		if without.silent(silent).Has("code") {
			continue // not the session's
		}
		makes++
		r.must(len(c.Value) >= 22 && strong(c.Value), "the cookie %s of %d characters can be guessed", c.Name, len(c.Value))
		r.must(c.HttpOnly, "scripts can read the cookie %s", c.Name)
		r.must(c.Secure || to.Scheme != "https", "the cookie %s travels without https", c.Name)
		r.must(c.SameSite == http.SameSiteLaxMode || c.SameSite == http.SameSiteStrictMode, "the cookie %s comes along from other sites", c.Name)
		r.must(c.Domain == "", "the cookie %s is for every host of %s", c.Name, c.Domain)
	}
	r.must(makes > 0, "none of the sign-in's cookies makes the session")
}

func postedRequest(r *run) {
	q := r.request(r.target.Web, code())
	for why, tail := range map[string]string{
		"a line break": "&x=\r\nSet-Cookie: planted=1\r\nX-Planted: 1", "a bare line feed": "&x=\nX-Planted: 1", "a fragment": "#code=planted&state=" + q.Get("state"),
	} {
		res := r.fetch(http.MethodPost, r.meta().AuthorizationEndpoint, url.Values{}, func(req *http.Request) {
			rebody(req, q.Encode()+tail)
		})
		r.must(res.Header.Get("X-Planted") == "" && !strings.Contains(strings.Join(res.Header.Values("Set-Cookie"), ";"), "planted"), "%s in a posted request becomes a header", why)
		// A browser keeps a fragment over redirects that have none of their own.
		r.must(!strings.Contains(res.Header.Get("Location"), "#code=planted"), "%s in a posted request becomes the answer's fragment", why)
	}
}

// rebody gives a request another body.
func rebody(req *http.Request, body string) {
	req.Body, req.GetBody, req.ContentLength = io.NopCloser(strings.NewReader(body)), nil, int64(len(body))
}

func anothersHint(r *run) {
	r.needs("other client", r.target.Other.ID != "")
	b := r.browser()
	o := r.signedIn(b, code())
	for why, ask := range map[string]url.Values{
		"client_id of another client": pairs("id_token_hint", o.idText, "client_id", r.target.Other.ID),
		"address of another client":   pairs("id_token_hint", o.idText, "client_id", r.target.Other.ID, "post_logout_redirect_uri", r.target.Web.PostLogoutRedirectURI),
		"no such client":              pairs("id_token_hint", o.idText, "client_id", "nobody-"+random(6)),
	} {
		p := b.leave(ask)
		r.must(p.Location == "" && r.onward(p) == "", "%s: the browser is sent on to %q", why, p.Location+r.onward(p))
		r.stillIn(b, code()) // unless the person says yes
	}
}
