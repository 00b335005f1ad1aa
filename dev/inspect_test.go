package dev_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// TestInspectPage: the page inspects a token, or a redirect with one, and only forms of
// its own origin.
func TestInspectPage(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now, "off")
	b := servertest.NewBrowser(t)
	authorize := servertest.AuthorizeURL(issuer,
		"client_id", "liveengage", "redirect_uri", servertest.WindowURI, "response_type", "id_token",
		"state", servertest.WindowState())
	redirected := servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password")
	redirect, token := redirected.Location, servertest.Response(t, redirected).Get("id_token")

	p := b.Get(issuer + "/inspect")
	require.Equal(t, http.StatusOK, p.Status)
	require.Contains(t, p.Body, `<textarea id="token" name="token"`)
	require.NotContains(t, p.Body, "Findings")

	p = b.Post(issuer+"/inspect", url.Values{"token": {redirect}})
	require.Equal(t, http.StatusOK, p.Status)
	require.Contains(t, p.Body, "No problems found.")
	require.Contains(t, p.Body, "C-100234")
	require.Contains(t, p.Header.Get("Content-Security-Policy"), "default-src 'none'")

	p = b.Post(issuer+"/inspect", url.Values{"token": {"<script>alert(1)</script> a.b.c.d"}})
	require.Equal(t, http.StatusOK, p.Status)
	require.Contains(t, p.Body, "not-a-token")
	require.NotContains(t, p.Body, "<script>alert")

	body := strings.NewReader(url.Values{"token": {token}}.Encode())
	r, err := http.NewRequest(http.MethodPost, issuer+"/inspect", body)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Origin", "https://evil.example")
	require.Equal(t, http.StatusForbidden, b.Do(r).Status)
	large := url.Values{"token": {strings.Repeat("x", 70_000)}}
	require.Equal(t, http.StatusRequestEntityTooLarge, b.Post(issuer+"/inspect", large).Status)

	require.Contains(t, b.Get(issuer+"/").Body, `href="/inspect"`)
	p = b.Get(issuer + "/try")
	form := servertest.FormFields(p)
	form.Set("username", "jane")
	form.Set("password", "jane-password")
	p = b.Post(issuer+"/login", form)
	require.Contains(t, p.Body, `action="/inspect"`, p.Body)
	p = b.Post(issuer+"/inspect", servertest.FormFields(p))
	require.Contains(t, p.Body, "No problems found", "the token page submits its token")
}
