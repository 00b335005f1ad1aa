package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/robot"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// postForm posts a form as local-web, with Basic unless the form has credentials, and returns
// the status and the error of the response.
func postForm(t *testing.T, to, form string) (status int, code string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, to, strings.NewReader(form))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if !strings.Contains(form, "local-app") {
		r.SetBasicAuth("local-web", dev.LocalWebSecret)
	}
	page := servertest.NewBrowser(t).Do(r)
	var body struct {
		Error string `json:"error"`
	}
	if page.Body != "" {
		require.NoError(t, json.Unmarshal([]byte(page.Body), &body), page.Body)
	}
	return page.Status, body.Error
}

// TestUnknownParametersInURL: endpoints for clients ignore unknown parameters in the URL,
// which MSAL.js adds, and reject those that they know.
func TestUnknownParametersInURL(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	par := url.Values{
		"response_type": {"code"}, "redirect_uri": {servertest.LocalCallback}, "scope": {"openid"},
	}.Encode()
	for path, c := range map[string]struct {
		form   string
		status int
		code   string
		known  []string
	}{
		"/token": {
			"grant_type=authorization_code&code=x", 400, "invalid_grant", []string{"code", "client_secret", "scope"},
		},
		"/par":        {par, 201, "", []string{"state", "nonce", "client_id", "request_uri"}},
		"/revoke":     {"token=x", 200, "", []string{"token", "token_type_hint", "client_assertion"}},
		"/introspect": {"token=x", 200, "", []string{"token", "client_secret"}},
	} {
		for _, query := range []string{"", "?", "?client-request-id=1&x=a;b", "?" + c.known[0] + "="} {
			status, code := postForm(t, issuer+path+query, c.form)
			require.Equal(t, c.status, status, path+query)
			require.Equal(t, c.code, code, path+query)
		}
		for _, name := range c.known {
			status, code := postForm(t, issuer+path+"?client-request-id=1&"+name+"=x", c.form)
			require.Equal(t, http.StatusBadRequest, status, path+" "+name)
			require.Equal(t, "invalid_request", code, path+" "+name)
		}
	}
}

// TestEmptyParametersCountAsOmitted: RFC 6749 sections 3.1 and 3.2.
func TestEmptyParametersCountAsOmitted(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	b := servertest.NewBrowser(t)
	b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	for _, query := range []string{
		"code_challenge=&code_challenge_method=", "code_challenge=", "request=", "request_uri=", "registration=",
		"max_age=", "prompt=", "claims=", "id_token_hint=", "resource=&resource=", "state=", "foo=&foo=",
		"resource=https://a.example&resource=https://b.example&audience=a&audience=b",
	} {
		response := servertest.Response(t, b.Get(servertest.AuthorizeURL(issuer)+"&"+query))
		require.NotEmpty(t, response.Get("code"), query)
	}
	for _, form := range []string{
		"client_id=local-app", "client_id=local-app&client_secret=", "client_id=local-app&client_assertion=",
		"client_secret=", "client_id=", "client_assertion=&client_assertion_type=", "foo=a;b&bar=100%",
	} {
		_, code := postForm(t, issuer+"/token", "grant_type=authorization_code&code=x&"+form)
		require.Equal(t, "invalid_grant", code, form)
	}
	r, err := robot.NewRequest(t.Context(), http.MethodPost, issuer+"/token",
		url.Values{"grant_type": {"authorization_code"}, "code": {"x"}})
	require.NoError(t, err)
	r.SetBasicAuth("local-app", "")
	require.Contains(t, servertest.NewBrowser(t).Do(r).Body, "invalid_grant", "Basic with no secret")
	_, code := postForm(t, issuer+"/token", "grant_type=authorization_code&code=x&client_id=local-web&client_secret=")
	require.Equal(t, "invalid_grant", code, "Basic counts")

	_, refresh := signInOffline(t, issuer, b)
	status, _ := postForm(t, issuer+"/token", "grant_type=refresh_token&scope=&refresh_token="+url.QueryEscape(refresh))
	require.Equal(t, http.StatusOK, status)
}

// TestFormsAreParsedAsBrowsersDo: state comes back unchanged, however its bytes are written,
// at once and through the sign-in page.
func TestFormsAreParsedAsBrowsersDo(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	for written, state := range map[string]string{
		"a%3Bb": "a;b", "a;b": "a;b", "/heroes;id=15": "/heroes;id=15", "100%": "100%", "%zz%4": "%zz%4", "a+b%20c": "a b c",
		"caf%C3%A9": "caf\u00e9", "caf%E9": "caf\xe9", "caf\xe9": "caf\xe9", "%41%1\x10": "A%1\x10",
	} {
		if strings.ContainsAny(written, "\x10") {
			continue // no HTTP client sends it
		}
		b := servertest.NewBrowser(t)
		authorize := servertest.AuthorizeURL(issuer, "state", "") + "&state=" + written
		require.Equal(t, state, servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("state"), written)
		require.Equal(t, state, servertest.Response(t, b.Get(authorize)).Get("state"), written)
	}
}

// TestPreflight: scripts may send the headers that libraries add, to every endpoint whose
// response they may read, and read why they failed.
func TestPreflight(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	do := func(method, path string, header ...string) *robot.Page {
		r, err := http.NewRequestWithContext(t.Context(), method, issuer+path, nil)
		require.NoError(t, err)
		r.Header.Set("Origin", "https://spa.example")
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		return servertest.NewBrowser(t).Do(r)
	}
	for _, path := range []string{
		"/token", "/userinfo", "/par", "/revoke", "/jwks", "/.well-known/openid-configuration",
		"/.well-known/oauth-authorization-server", "/keys/public.pem", "/keys/public.txt",
	} {
		page := do(http.MethodOptions, path, "Access-Control-Request-Method", "GET",
			"Access-Control-Request-Headers", "traceparent,x-requested-with, x-b3-traceid")
		require.Equal(t, http.StatusNoContent, page.Status, path)
		require.Equal(t, "*", page.Header.Get("Access-Control-Allow-Origin"), path)
		allowed := strings.ToLower(page.Header.Get("Access-Control-Allow-Headers"))
		for _, name := range []string{
			"authorization", "content-type", "dpop", "traceparent", "x-requested-with", "x-b3-traceid",
		} {
			require.Contains(t, allowed, name, path)
		}
		require.Empty(t, page.Header.Get("Access-Control-Allow-Credentials"), path)
	}
	page := do(http.MethodGet, "/userinfo", "Authorization", "Bearer wrong")
	require.Equal(t, http.StatusUnauthorized, page.Status)
	require.Contains(t, page.Header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate")
	for _, path := range []string{"/authorize", "/login", "/end_session", "/introspect"} {
		page := do(http.MethodOptions, path, "Access-Control-Request-Method", "GET")
		require.Empty(t, page.Header.Get("Access-Control-Allow-Origin"), path)
	}
	page = do(http.MethodOptions, "/liveengage/token", "Access-Control-Request-Method", "POST")
	require.Empty(t, page.Header.Get("Access-Control-Allow-Origin"), "a page that no client lists")
}

// TestPreflightOfPages: a page that a client lists, and whose tracing adds a header, can ask
// with cookies. No other page can.
func TestPreflightOfPages(t *testing.T) {
	t.Parallel()
	const origin = "https://www.brand.example"
	issuer, _ := start(t, func(c *server.Config) {
		for i, client := range c.Clients {
			if client.LiveEngage != nil {
				profile := *client.LiveEngage
				profile.Page.Origins = []string{origin}
				c.Clients[i].LiveEngage = &profile
			}
		}
	})
	for from, allowed := range map[string]string{origin: origin, "https://evil.example": "", "null": "", "": ""} {
		for _, path := range []string{"/liveengage/identity", "/liveengage/token"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodOptions, issuer+path, nil)
			require.NoError(t, err)
			r.Header.Set("Origin", from)
			r.Header.Set("Access-Control-Request-Method", "POST")
			r.Header.Set("Access-Control-Request-Headers", "traceparent, x-datadog-trace-id")
			h := servertest.NewBrowser(t).Do(r).Header
			require.Equal(t, allowed, h.Get("Access-Control-Allow-Origin"), from)
			require.Equal(t, allowed != "", h.Get("Access-Control-Allow-Credentials") == "true", from)
			require.Equal(t, allowed != "", strings.Contains(h.Get("Access-Control-Allow-Headers"), "x-datadog-trace-id"), from)
		}
	}
}

// TestHeadAndConditionalRequests: HEAD responds as GET does but has no effect, and a proxy
// that compresses does not defeat caching.
func TestHeadAndConditionalRequests(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	b := servertest.NewBrowser(t)
	b.SignIn(servertest.AuthorizeURL(s.Issuer), "jane", "jane-password")
	do := func(method, path, tag string) *robot.Page {
		r, err := http.NewRequestWithContext(t.Context(), method, s.Issuer+path, nil)
		require.NoError(t, err)
		if tag != "" {
			r.Header.Set("If-None-Match", tag)
		}
		return b.Do(r)
	}
	for _, path := range []string{"/jwks", "/.well-known/openid-configuration", "/keys/public.pem", "/end_session"} {
		page := do(http.MethodHead, path, "")
		require.Equal(t, http.StatusOK, page.Status, path)
		require.Empty(t, page.Body, path)
	}
	authorize := strings.TrimPrefix(servertest.AuthorizeURL(s.Issuer), s.Issuer)
	before, err := s.Store.RecentSignins(t.Context(), 100)
	require.NoError(t, err)
	require.Empty(t, do(http.MethodHead, authorize, "").Location)
	after, err := s.Store.RecentSignins(t.Context(), 100)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.NotEmpty(t, servertest.Response(t, b.Get(s.Issuer+authorize)).Get("code"), "HEAD did not sign out")

	tag := do(http.MethodGet, "/jwks", "").Header.Get("ETag")
	for _, match := range []string{tag, "W/" + tag, `"other", W/` + tag, "*"} {
		require.Equal(t, http.StatusNotModified, do(http.MethodGet, "/jwks", match).Status, match)
	}
	require.Equal(t, http.StatusOK, do(http.MethodGet, "/jwks", `W/"other"`).Status)
}
