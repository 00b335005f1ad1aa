package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server"
	"idpbridge/server/servertest"
)

// TestFormOrigin: a form is accepted from our own pages only, as each kind of browser
// shows where it comes from, and whatever the proxy did to the Host header.
func TestFormOrigin(t *testing.T) {
	t.Parallel()
	p := newProxied(t, func(c *server.Config) { c.Settings.Limits.Failures, c.Settings.Limits.AddressFailures = 99, 99 })
	const accepted, refused = http.StatusSeeOther, http.StatusForbidden
	for name, c := range map[string]struct {
		headers []string
		want    int
	}{
		"no header":           {nil, accepted},
		"the issuer's origin": {[]string{"Origin", "https://login.example"}, accepted},
		"behind a rewritten Host": {
			[]string{"Origin", "https://login.example", "Host", "idp:8080", "X-Forwarded-Host", "login.example"},
			accepted,
		},
		"null without Fetch Metadata": {[]string{"Origin", "null"}, accepted},
		"null from our page":          {[]string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, accepted},
		"null from another site":      {[]string{"Origin", "null", "Sec-Fetch-Site", "cross-site"}, refused},
		"cross-site without Origin":   {[]string{"Sec-Fetch-Site", "cross-site"}, refused},
		"cross-site with our Origin": {
			[]string{"Origin", "https://login.example", "Sec-Fetch-Site", "cross-site"},
			refused,
		},
		"another subdomain": {
			[]string{"Origin", "https://www.example", "Sec-Fetch-Site", "same-site"},
			refused,
		},
		"another origin": {[]string{"Origin", "https://evil.example"}, refused},
		"another origin equal to Host": {
			[]string{"Origin", "https://idp", "Host", "idp", "X-Forwarded-Host", "login.example"},
			refused,
		},
		"another scheme": {[]string{"Origin", "http://login.example"}, refused},
		"another port":   {[]string{"Origin", "https://login.example:8443"}, refused},
		"two origins": {
			[]string{"Origin", "https://login.example", "Origin", "https://evil.example"},
			refused,
		},
		"another origin as same-origin": {
			[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "same-origin"},
			refused,
		},
		"an empty one": {[]string{"Origin", ""}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, p.signIn("jane", "jane-password", c.headers...))
		})
	}
}

// TestNullOriginNeedsTheBrowsersOwnForm: a form from a sandboxed frame has the origin
// null too, but its sealed request is not this browser's.
func TestNullOriginNeedsTheBrowsersOwnForm(t *testing.T) {
	t.Parallel()
	p := newProxied(t)
	begin := func() (cookie, sealed string) {
		w := p.send(http.MethodGet, servertest.AuthorizeURL(""), nil)
		_, sealed, _ = strings.Cut(w.Header().Get("Location"), "request=")
		cookie, _, _ = strings.Cut(w.Header().Get("Set-Cookie"), ";")
		return cookie, sealed
	}
	_, attackers := begin()
	victim, _ := begin()
	form := url.Values{"username": {"jane"}, "password": {"jane-password"}, "request": {attackers}}
	w := p.send(http.MethodPost, "/login", form, "Cookie", victim, "Origin", "null")
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.NotContains(t, w.Header().Get("Set-Cookie"), "session")

	w = p.send(http.MethodPost, "/end_session/confirm", url.Values{"request": {"x"}}, "Origin", "https://evil.example")
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "another site")
}
