package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// clock is a time that tests move.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) add(d time.Duration) { c.ahead.Add(int64(d)) }

// decoded are the claims of a JWT, unverified.
func decoded(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal(raw, &claims))
	return claims
}

func idTokenOf(t testing.TB, p page) map[string]any {
	t.Helper()
	return decoded(t, p.answer(t).Get("id_token"))
}

func TestPromptAndMaxAge(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	b := newBrowser(t)
	implicit := func(changes ...string) string {
		return webRequest(issuer, append([]string{"response_type", "id_token"}, changes...)...)
	}
	first := b.signIn(issuer, implicit(), "jane", "jane-password")
	before := idTokenOf(t, first)
	hint := first.answer(t).Get("id_token")
	c.add(5 * time.Second)

	silent := idTokenOf(t, b.get(implicit("prompt", "none", "id_token_hint", hint, "max_age", "10000")))
	require.Equal(t, before["auth_time"], silent["auth_time"])
	require.Equal(t, before["sub"], silent["sub"])
	require.Equal(t, "login_required", b.get(implicit("prompt", "none", "max_age", "1")).answer(t).Get("error"))

	for _, changes := range [][]string{{"prompt", "login"}, {"prompt", "select_account"}, {"max_age", "1"}, {"max_age", "0"}} {
		require.Equal(t, 200, b.get(implicit(changes...)).status, changes)
		again := idTokenOf(t, b.signIn(issuer, implicit(changes...), "jane", "jane-password"))
		require.Greater(t, again["auth_time"], before["auth_time"], changes)
		before = again
		c.add(5 * time.Second)
	}

	p := b.signIn(issuer, implicit("prompt", "login", "id_token_hint", hint), "victor", "victor-password")
	require.Equal(t, "login_required", p.answer(t).Get("error"), "somebody else than the hint names")
	p = b.get(implicit("prompt", "none", "id_token_hint", hint))
	require.Equal(t, "login_required", p.answer(t).Get("error"))

	c.add(2 * time.Hour)
	require.Equal(t, "login_required", b.get(implicit("prompt", "none")).answer(t).Get("error"), "idle for too long")
}

// TestPromptLoginInTheSameMillisecond: a sign-in of a moment ago is none of this
// request, however fast the request follows it.
func TestPromptLoginInTheSameMillisecond(t *testing.T) {
	t.Parallel()
	fixed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	issuer := startDev(t, func() time.Time { return fixed })
	b := newBrowser(t)
	b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	for _, changes := range [][]string{{"prompt", "login"}, {"max_age", "0"}} {
		require.Contains(t, b.get(webRequest(issuer, changes...)).body, "login-submit", changes)
	}
}

func TestConsentIsAskedForAndObeyed(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	p := b.signIn(issuer, webRequest(issuer, "prompt", "consent", "scope", "openid email"), "jane", "jane-password")
	require.Contains(t, p.body, "email address")
	form := p.fields(t)
	form.Set("decision", "deny")
	require.Equal(t, "access_denied", b.post(issuer+"/consent", form).answer(t).Get("error"))
	form.Set("decision", "allow")
	require.NotEmpty(t, b.post(issuer+"/consent", form).answer(t).Get("code"))
}

func TestSealedRequestIsBoundToItsBrowser(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	attacker, victim := newBrowser(t), newBrowser(t)
	p := attacker.get(webRequest(issuer))
	form := p.fields(t)
	form.Set("username", "jane")
	form.Set("password", "jane-password")

	require.Equal(t, 400, victim.get(p.address.String()).status)
	require.Equal(t, 400, victim.post(issuer+"/login", form).status)
	resume := issuer + "/resume?request=" + form.Get("request")
	require.Equal(t, 400, victim.get(resume).status)

	changed := form.Get("request")
	changed = changed[:len(changed)-1] + string(changed[len(changed)-1]^1)
	require.Equal(t, 400, attacker.get(issuer+"/resume?request="+changed).status)

	r, err := http.NewRequest(http.MethodPost, issuer+"/login", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, attacker.do(r).status, "a form from another site")

	c.add(31 * time.Minute)
	again := attacker.get(p.address.String())
	require.Equal(t, 200, again.status)
	require.NotEqual(t, form.Get("request"), again.fields(t).Get("request"), "an expired request starts itself again")
}

// TestExpiredPushedRequest: it is not taken up again from its parameters, which
// were never in an address.
func TestExpiredPushedRequest(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	res, err := http.PostForm(issuer+"/par", url.Values{
		"client_id": {"local-post"}, "client_secret": {dev.LocalPostSecret}, "response_type": {"code"}, "scope": {"openid"}, "redirect_uri": {localCallback},
	})
	require.NoError(t, err)
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&pushed))
	require.NoError(t, res.Body.Close())
	b := newBrowser(t)
	p := b.get(issuer + "/authorize?client_id=local-post&request_uri=" + url.QueryEscape(pushed.RequestURI))
	form := p.fields(t)
	c.add(31 * time.Minute)
	for _, late := range []page{b.get(p.address.String()), b.get(issuer + "/resume?request=" + form.Get("request"))} {
		require.Equal(t, http.StatusBadRequest, late.status)
		require.Contains(t, late.body, "op-error")
		require.Empty(t, late.location)
	}
}

func TestPasswordGuessingIsSlowedDown(t *testing.T) {
	t.Parallel()
	var c clock
	issuer := startDev(t, c.now)
	b := newBrowser(t)
	wrong := b.signIn(issuer, webRequest(issuer), "jane", "wrong")
	require.Equal(t, http.StatusUnprocessableEntity, wrong.status)
	require.Contains(t, wrong.body, "do not match")
	require.Contains(t, wrong.body, `value="jane"`)
	unknown := newBrowser(t).signIn(issuer, webRequest(issuer), "nobody", "wrong")
	require.Equal(t, wrong.status, unknown.status)
	for range 4 {
		wrong = b.signIn(issuer, webRequest(issuer), "jane", "wrong")
	}
	refused := b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	require.Equal(t, http.StatusTooManyRequests, refused.status)
	require.NotEmpty(t, refused.header.Get("Retry-After"))
	require.NotEmpty(t, b.signIn(issuer, webRequest(issuer), "noa", "noa-password").location, "others are not held up")
	c.add(2 * time.Second)
	require.NotEmpty(t, newBrowser(t).signIn(issuer, webRequest(issuer), "jane", "jane-password").location)
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, issuer string) {
		b := newBrowser(t)
		p := b.signIn(issuer, webRequest(issuer, "response_type", "id_token token"), "jane", "jane-password")
		hint, access := p.answer(t).Get("id_token"), p.answer(t).Get("access_token")
		ask := b.get(issuer + "/end_session?post_logout_redirect_uri=" + url.QueryEscape(localCallback))
		require.Equal(t, 200, ask.status)
		require.Contains(t, ask.body, "logout-confirm")
		require.Equal(t, 200, userinfo(t, issuer, access), "asking ends nothing")

		p = b.get(issuer + "/end_session?id_token_hint=" + hint + "&post_logout_redirect_uri=" + url.QueryEscape("http://127.0.0.1/cb") + "&state=" + url.QueryEscape(`a&b="c`))
		require.Equal(t, `a&b="c`, p.answer(t).Get("state"))
		require.Equal(t, 401, userinfo(t, issuer, access), "signing out ends what came of the session")
		require.Equal(t, "login_required", b.get(webRequest(issuer, "prompt", "none")).answer(t).Get("error"))

		b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
		p = b.get(issuer + "/end_session?id_token_hint=" + hint + "&post_logout_redirect_uri=https%3A%2F%2Fevil.example")
		require.Equal(t, 400, p.status, "an address that is not registered leads nowhere")

		b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
		form := b.get(issuer + "/end_session").fields(t)
		require.Contains(t, b.post(issuer+"/end_session/confirm", form).body, "op-logged-out")
		require.Contains(t, b.get(issuer+"/end_session").body, "op-logged-out")
	})
}

func TestStateComesBackUnchanged(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	state := `{"lpUnifiedWindowConfig":{"a b":"+/%20é\r\n\"<script>","key":"` + strings.Repeat("MIIBIjANBgkq", 300) + `"}}`
	p := b.get(webRequest(issuer, "state", state))
	require.Less(t, len(p.address.String()), 8192)
	require.Equal(t, state, b.signIn(issuer, webRequest(issuer, "state", state), "jane", "jane-password").answer(t).Get("state"))
	large := strings.Repeat("0123456789", 900)
	require.Equal(t, large, b.get(webRequest(issuer, "state", large)).answer(t).Get("state"))
	posted := b.post(issuer+"/authorize", url.Values{
		"client_id": {"local-web"}, "redirect_uri": {localCallback}, "response_type": {"code"}, "scope": {"openid"}, "state": {state},
	})
	require.Equal(t, state, posted.answer(t).Get("state"))
}

// TestConsentNamesTheCustomerRecord: LiveEngage is told lp_sdes without asking, so
// the person is asked about it.
func TestConsentNamesTheCustomerRecord(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	p := newBrowser(t).signIn(issuer, webRequest(issuer, "client_id", "liveengage", "redirect_uri", "https://liveperson.net", "prompt", "consent"), "jane", "jane-password")
	require.Contains(t, p.body, "Your customer record")
}

// TestYesIsAboutWhoWasAsked: a page that asked one person signs out no other, and
// does not say that it did.
func TestYesIsAboutWhoWasAsked(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	b := newBrowser(t)
	b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	asked := b.get(issuer + "/end_session").fields(t)
	b.signIn(issuer, webRequest(issuer, "prompt", "login"), "victor", "victor-password")
	p := b.post(issuer+"/end_session/confirm", asked)
	require.Contains(t, p.body, "logout-confirm", "asked anew")
	require.NotContains(t, p.body, "op-logged-out")
	require.NotEmpty(t, b.get(webRequest(issuer, "prompt", "none")).answer(t).Get("code"))
}
