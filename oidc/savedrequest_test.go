package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/robot"
	"idpbridge/server/servertest"
)

// TestSavedRequestIsBoundToItsBrowser: the request that a page serves works only in the
// browser that sent it, only unchanged, and for half an hour.
func TestSavedRequestIsBoundToItsBrowser(t *testing.T) {
	t.Parallel()
	issuer, clock := start(t)
	attacker, victim := servertest.NewBrowser(t), servertest.NewBrowser(t)
	p := attacker.Get(servertest.AuthorizeURL(issuer))
	form := servertest.FormFields(p)
	form.Set("username", "jane")
	form.Set("password", "jane-password")

	require.Equal(t, 400, victim.Get(p.URL.String()).Status)
	require.Equal(t, 400, victim.Post(issuer+"/login", form).Status)
	resume := issuer + "/resume?request=" + form.Get("request")
	require.Equal(t, 400, victim.Get(resume).Status)

	changed := form.Get("request")
	changed = changed[:len(changed)-1] + string(changed[len(changed)-1]^1)
	require.Equal(t, 400, attacker.Get(issuer+"/resume?request="+changed).Status)

	r, err := http.NewRequest(http.MethodPost, issuer+"/login", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, attacker.Do(r).Status, "a form from another site")

	clock.Add(31 * time.Minute)
	again := attacker.Get(p.URL.String())
	require.Equal(t, 200, again.Status)
	require.NotEqual(t, form.Get("request"), servertest.FormFields(again).Get("request"),
		"an expired request starts again")
}

// TestExpiredSignInPage: a password that is sent from an expired page is not checked. The
// page starts again, says so, and keeps the username.
func TestExpiredSignInPage(t *testing.T) {
	t.Parallel()
	issuer, clock := start(t)
	b, jane := servertest.NewBrowser(t), robot.Credentials{Username: "jane", Password: "jane-password"}
	page := b.Get(servertest.AuthorizeURL(issuer, "login_hint", "victor"))
	form, ok := page.PasswordForm()
	require.True(t, ok)
	require.Equal(t, "victor", form.Fields.Get("username"))
	require.NotContains(t, page.Body, `id="notice"`)
	clock.Add(31 * time.Minute)
	page, err := b.Submit(t.Context(), page, form, form.FillIn(jane))
	require.NoError(t, err)
	require.Equal(t, 200, page.Status)
	require.Contains(t, page.Text(), "The page was open for too long")
	form, ok = page.PasswordForm()
	require.True(t, ok)
	require.Equal(t, "jane", form.Fields.Get("username"))
	page, err = b.Submit(t.Context(), page, form, form.FillIn(jane))
	require.NoError(t, err)
	require.NotEmpty(t, servertest.Response(t, page).Get("code"))
	require.Equal(t, "state", servertest.Response(t, page).Get("state"))
}

// TestCancel: the user returns to the client with access_denied, in every response mode, and
// the request is finished.
func TestCancel(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	cancelForm := func(page *robot.Page) robot.Form {
		t.Helper()
		for _, form := range page.Forms() {
			if strings.HasSuffix(form.Action, "/login/cancel") {
				return form
			}
		}
		require.Fail(t, "there is no form to cancel")
		return robot.Form{}
	}
	for mode, changes := range map[string][]string{
		"query": nil, "fragment": {"response_type", "id_token"}, "form_post": {"response_mode", "form_post"},
	} {
		b := servertest.NewBrowser(t)
		page := b.Get(servertest.AuthorizeURL(issuer, changes...))
		form := cancelForm(page)
		canceled, err := b.Submit(t.Context(), page, form, form.Fields)
		require.NoError(t, err)
		response, ok := canceled.AuthorizationResponse(servertest.LocalCallback)
		require.True(t, ok, mode)
		require.Equal(t, mode, response.Mode)
		require.Equal(t, "access_denied", response.Get("error"))
		require.Equal(t, "state", response.Get("state"))
		again, err := b.Submit(t.Context(), page, form, form.Fields)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, again.Status, "the request is finished")
		stolen, err := servertest.NewBrowser(t).Submit(t.Context(), page, form, form.Fields)
		require.NoError(t, err)
		require.Equal(t, http.StatusBadRequest, stolen.Status, "another browser")
	}
}

// TestExpiredPushedRequest: an expired pushed request starts again once.
func TestExpiredPushedRequest(t *testing.T) {
	t.Parallel()
	issuer, clock := start(t)
	res, err := http.PostForm(issuer+"/par", url.Values{
		"client_id": {"local-post"}, "client_secret": {dev.LocalPostSecret}, "response_type": {"code"},
		"scope": {"openid"}, "redirect_uri": {servertest.LocalCallback},
	})
	require.NoError(t, err)
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&pushed))
	require.NoError(t, res.Body.Close())
	b := servertest.NewBrowser(t)
	p := b.Get(issuer + "/authorize?client_id=local-post&request_uri=" + url.QueryEscape(pushed.RequestURI))
	form := servertest.FormFields(p)
	clock.Add(31 * time.Minute)
	again := b.Get(p.URL.String())
	require.Equal(t, http.StatusOK, again.Status)
	require.Contains(t, again.Text(), "The page was open for too long")
	clock.Add(31 * time.Minute)
	for _, late := range []string{
		p.URL.String(), again.URL.String(), issuer + "/resume?request=" + form.Get("request"),
		issuer + "/resume?request=" + servertest.FormFields(again).Get("request"),
	} {
		page := b.Get(late)
		require.Equal(t, http.StatusBadRequest, page.Status)
		require.Contains(t, page.Body, "op-error")
		require.Empty(t, page.Location)
	}
}

// TestStateComesBackUnchanged: byte for byte, also if it is large.
func TestStateComesBackUnchanged(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	state := `{"lpUnifiedWindowConfig":{"a b":"+/%20é\r\n\"<script>",` +
		`"key":"` + strings.Repeat("MIIBIjANBgkq", 300) + `"}}`
	authorize := servertest.AuthorizeURL(issuer, "state", state)
	require.Less(t, len(b.Get(authorize).URL.String()), 8192)
	response := servertest.Response(t, b.SignIn(authorize, "jane", "jane-password"))
	require.Equal(t, state, response.Get("state"))
	large := strings.Repeat("0123456789", 900)
	require.Equal(t, large, b.Authorize(servertest.AuthorizeURL(issuer, "state", large)).Get("state"))
	posted := b.Post(issuer+"/authorize", url.Values{
		"client_id": {"local-web"}, "redirect_uri": {servertest.LocalCallback}, "response_type": {"code"},
		"scope": {"openid"}, "state": {state},
	})
	require.Equal(t, state, servertest.Response(t, posted).Get("state"))
}
