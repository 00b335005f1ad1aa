package server_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// callback is a server of a client. It reports each request, then redirects.
type callback struct {
	*httptest.Server

	hit chan string // paths of requests
}

func startCallback(t *testing.T, address, leadsTo string) *callback {
	t.Helper()
	l, err := net.Listen("tcp", address)
	require.NoError(t, err)
	c := &callback{hit: make(chan string, 10)}
	c.Server = &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/favicon.ico" {
				return
			}
			if leadsTo != "" {
				w.Header().Set("Location", leadsTo)
				w.WriteHeader(http.StatusSeeOther)
			}
			c.hit <- r.URL.Path
		})}}
	c.Start()
	t.Cleanup(c.Close)
	return c
}

// TestSignInLeadsOn signs in with Chromium to clients whose callback is at [::1], or leads
// on to another origin and from there to an app. Nothing may block the way: the button
// would silently do nothing.
func TestSignInLeadsOn(t *testing.T) {
	t.Parallel()
	app := startCallback(t, "127.0.0.1:0", "com.brand.app://callback?code=1")
	chain := startCallback(t, "127.0.0.1:0", app.URL+"/toapp")
	loopback := startCallback(t, "[::1]:0", "")
	s := servertest.Start(t, func(c *server.Config) {
		c.Clients = append(c.Clients, oidc.Client{
			ID: "chain", Native: true,
			RedirectURIs: []string{chain.URL + "/hop", loopback.URL + "/cb", "com.brand.app://callback"},
		})
	})
	ctx := chrome.Start(t)
	for _, c := range []struct{ redirectURI, mode string }{
		{chain.URL + "/hop", "query"},
		{chain.URL + "/hop", "form_post"},
		{loopback.URL + "/cb", "query"},
		{"com.brand.app://callback", "query"},
	} {
		chrome.Open(ctx, t, servertest.AuthorizeURL(s.Issuer, "client_id", "chain", "redirect_uri", c.redirectURI,
			"response_mode", c.mode, "prompt", "login", "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
			"code_challenge_method", "S256"))
		chrome.WaitForElement(ctx, t, "#login-submit")
		chrome.Evaluate[bool](ctx, t, `window.blocked = "";
			document.addEventListener("securitypolicyviolation", e => { window.blocked += e.violatedDirective + " " });
			username.value = "jane"; password.value = "jane-password"; document.forms[0].requestSubmit(); true`)
		switch c.redirectURI {
		case chain.URL + "/hop":
			require.Equal(t, "/hop", chain.next(t))
			require.Equal(t, "/toapp", app.next(t))
		case loopback.URL + "/cb":
			require.Equal(t, "/cb", loopback.next(t))
		default:
			succeeded := func() bool { return strings.Count(s.Log.String(), `"msg":"authorization succeeded"`) == 4 }
			require.Eventually(t, succeeded, time.Minute, 20*time.Millisecond, "no response")
		}
		require.Empty(t, chrome.Evaluate[string](ctx, t, `window.blocked || ""`), "%+v", c)
	}
}

// next returns the path of the next request.
func (c *callback) next(t *testing.T) string {
	t.Helper()
	select {
	case path := <-c.hit:
		return path
	case <-time.After(time.Minute):
		require.Fail(t, "no request came to "+c.URL)
		return ""
	}
}
