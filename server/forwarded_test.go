package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/robot"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// proxied is a server behind a proxy: its requests come from 127.0.0.1.
type proxied struct {
	*servertest.Server

	t *testing.T
}

func newProxied(t *testing.T, change ...func(*server.Config)) proxied {
	t.Helper()
	return proxied{servertest.New(t, append([]func(*server.Config){func(c *server.Config) {
		c.Settings.Issuer = "https://login.example"
		c.Settings.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.1.0.0/16")}
		c.Settings.Limits.Failures, c.Settings.Limits.AddressFailures = 3, 3
	}}, change...)...), t}
}

// send sends a request through the proxy. Headers are pairs of a name and a value, and
// may repeat.
func (p proxied) send(method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	p.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.RemoteAddr, r.Host = "127.0.0.1:4711", "login.example"
	if method == http.MethodPost {
		r.Header.Set("Content-Type", robot.FormEncoded)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	if r.Header.Get("Host") != "" {
		r.Host = r.Header.Get("Host")
	}
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	return w
}

// signIn submits a password and returns the status.
func (p proxied) signIn(username, password string, headers ...string) int {
	p.t.Helper()
	w := p.send(http.MethodGet, servertest.AuthorizeURL(""), nil, headers...)
	require.Equal(p.t, http.StatusSeeOther, w.Code, w.Body)
	_, sealed, _ := strings.Cut(w.Header().Get("Location"), "request=")
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	form := url.Values{"username": {username}, "password": {password}, "request": {sealed}}
	return p.send(http.MethodPost, "/login", form, append([]string{"Cookie", cookie}, headers...)...).Code
}

// TestCallerBehindProxies: each spelling of X-Forwarded-For leads to the caller's address.
// Its failures slow down that address and no other.
func TestCallerBehindProxies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		same    string // as another request of the same caller spells it
	}{
		"plain":              {[]string{"198.51.100.66"}, "198.51.100.66"},
		"port":               {[]string{"198.51.100.66:40001"}, "198.51.100.66"},
		"IPv6":               {[]string{"2001:DB8::1"}, "2001:db8::2"},
		"brackets":           {[]string{"[2001:db8::1]"}, "2001:db8::1"},
		"brackets and port":  {[]string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		"IPv6 and port":      {[]string{"2001:db8:0:0:1:2:3:4:4711"}, "2001:db8::1"},
		"quotes":             {[]string{`"[2001:db8::1]:4711"`}, "2001:db8::1"},
		"zone":               {[]string{"fe80::1%eth0"}, "fe80::1"},
		"IPv4 in IPv6":       {[]string{"::ffff:198.51.100.66"}, "198.51.100.66"},
		"claimed by caller":  {[]string{"203.0.113.1, 198.51.100.66:1"}, "198.51.100.66"},
		"garbage by caller":  {[]string{"unknown, , x, 198.51.100.66"}, "198.51.100.66"},
		"two proxies":        {[]string{"198.51.100.66:1, 10.1.2.3:443"}, "198.51.100.66"},
		"a header for each":  {[]string{"198.51.100.66", "10.1.2.3"}, "198.51.100.66"},
		"no spaces":          {[]string{"198.51.100.66,10.1.2.3,10.1.2.4"}, "198.51.100.66"},
		"an empty one first": {[]string{"", "198.51.100.66"}, "198.51.100.66"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProxied(t)
			var headers []string
			for _, value := range c.headers {
				headers = append(headers, "x-forwarded-for", value)
			}
			for range 3 {
				require.Equal(t, http.StatusUnprocessableEntity, p.signIn("nobody", "wrong", headers...))
			}
			require.Equal(t, http.StatusTooManyRequests, p.signIn("jane", "jane-password", "X-Forwarded-For", c.same))
			require.Equal(t, http.StatusSeeOther, p.signIn("jane", "jane-password", "X-Forwarded-For", "203.0.113.50:50000"))
			require.NotContains(t, p.GetOperations(t, "/metrics"), "forwarded_header_unreadable")
		})
	}
}

// TestUnreadableCaller: failures of callers without an address slow down no one else. The
// log names the header, and the metric counts it.
func TestUnreadableCaller(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"", "unknown", "_hidden", "-", "client.example:80", "198.51.100.66, ", "198.51.100.66, 300.1.1.1",
	} {
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			p := newProxied(t)
			for i := range 6 {
				require.Equal(t, http.StatusUnprocessableEntity,
					p.signIn("nobody"+strings.Repeat("x", i), "wrong", "X-Forwarded-For", value))
			}
			require.Equal(t, http.StatusSeeOther, p.signIn("jane", "jane-password", "X-Forwarded-For", value))
			require.Equal(t, http.StatusSeeOther, p.signIn("jane", "jane-password", "X-Forwarded-For", "203.0.113.50"))
			wrong := url.Values{"client_id": {"local-web"}, "client_secret": {"wrong"}, "token": {"x"}}
			for range 6 {
				require.Equal(t, http.StatusUnauthorized,
					p.send(http.MethodPost, "/introspect", wrong, "X-Forwarded-For", value).Code)
			}
			require.Contains(t, p.GetOperations(t, "/metrics"), `event="forwarded_header_unreadable"} 20`)
			require.Equal(t, 1, strings.Count(p.Log.String(), `"msg":"forwarded header unreadable","header":"X-Forwarded-For"`))
			for range 3 {
				p.signIn("jane", "wrong", "X-Forwarded-For", value)
			}
			require.Equal(t, http.StatusTooManyRequests, p.signIn("jane", "jane-password", "X-Forwarded-For", value))
		})
	}
}

// twoHops is the header of a caller behind two trusted proxies.
func twoHops() []string { return []string{"X-Forwarded-For", "198.51.100.7, 10.1.2.3"} }

// TestForwardedHostAndProto shows which spellings of the other headers are accepted.
func TestForwardedHostAndProto(t *testing.T) {
	t.Parallel()
	p := newProxied(t)
	q := newProxied(t, func(c *server.Config) { c.Settings.Issuer = "https://login.example:8443" })
	for name, c := range map[string]struct {
		server  proxied
		headers []string
		want    int
	}{
		"nothing":            {p, nil, 200},
		"upper case":         {p, []string{"X-FORWARDED-PROTO", "HTTPS", "X-Forwarded-Host", "LOGIN.example"}, 200},
		"repeated":           {p, []string{"X-Forwarded-Proto", "https, https"}, 200},
		"two hops, one line": {p, append(twoHops(), "X-Forwarded-Proto", "https,http"), 200},
		"two hops, two lines": {
			p, append(twoHops(), "X-Forwarded-Proto", "https", "X-Forwarded-Proto", "http"), 200,
		},
		"two hops, http outside":           {p, append(twoHops(), "X-Forwarded-Proto", "http,https"), 403},
		"two hops, the outer one replaces": {p, append(twoHops(), "X-Forwarded-Proto", "https"), 200},
		"claimed by the caller":            {p, []string{"X-Forwarded-Proto", "https, http"}, 403},
		"claimed by the caller, two hops":  {p, append(twoHops(), "X-Forwarded-Proto", "https, http, http"), 403},
		"host claimed by the caller": {
			p, []string{"X-Forwarded-Host", "login.example, evil.example"}, 421,
		},
		"http":                   {p, []string{"X-Forwarded-Proto", "HTTP"}, 403},
		"no scheme":              {p, []string{"X-Forwarded-Proto", "on"}, 403},
		"host with default port": {p, []string{"X-Forwarded-Host", "login.example:443", "Host", "idp:8080"}, 200},
		"hosts of two hops": {
			p, append(twoHops(), "X-Forwarded-Host", "login.example, inner.example", "Host", "idp:8080"), 200,
		},
		"another host":               {p, []string{"X-Forwarded-Host", "evil.example"}, 421},
		"another port":               {p, []string{"X-Forwarded-Host", "login.example:444"}, 421},
		"Host of the inner server":   {p, []string{"Host", "idp:8080"}, 421},
		"issuer's port":              {q, []string{"Host", "login.example:8443"}, 200},
		"port in a header":           {q, []string{"Host", "login.example", "X-Forwarded-Port", "8443"}, 200},
		"port left out":              {q, []string{"Host", "login.example"}, 200},
		"another port in the header": {q, []string{"Host", "login.example", "X-Forwarded-Port", "443"}, 421},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := c.server.send(http.MethodGet, "/.well-known/openid-configuration", nil, c.headers...)
			require.Equal(t, c.want, w.Code, w.Body)
		})
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, "/jwks", nil)
	r.RemoteAddr, r.Host = "192.0.2.1:1234", "login.example"
	r.Header.Set("X-Forwarded-Proto", "https")
	p.Handler().ServeHTTP(w, r)
	require.Equal(t, http.StatusForbidden, w.Code, "not from the proxy")
}
