package oidc_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"idpbridge/dev"
	"idpbridge/internal/robot"
	"idpbridge/server/servertest"
)

// FuzzAuthorize: no query leads away from the server, except to a registered redirect
// URI.
func FuzzAuthorize(f *testing.F) {
	issuer, _ := start(f)
	for _, changes := range [][]string{
		nil,
		{"redirect_uri", "http://127.0.0.1:1@evil.example/cb"},
		{"redirect_uri", "http://127.0.0.1:99999/cb"},
		{"redirect_uri", "http://127.0.0.1/cb\r\nX: y"},
		{"client_id", "liveengage", "redirect_uri", servertest.WindowURI},
		{"client_id", "liveengage", "redirect_uri", servertest.WindowURI, "state", servertest.WindowState()},
		{"response_type", "id_token token", "prompt", "none"},
		{"response_mode", "form_post", "scope", ""},
		{"prompt", "none", "state", "a&b=c#d\"><script>"},
	} {
		f.Add(strings.TrimPrefix(servertest.AuthorizeURL("", changes...), "/authorize?"))
	}
	f.Add("client_id=local-web&redirect_uri=http%3A%2F%2F127.0.0.1%3A7777%2Fcb&redirect_uri=https%3A%2F%2Fevil.example")
	target, err := url.Parse(issuer)
	if err != nil {
		f.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "http://x/", nil)
		r.RequestURI = ""
		r.URL = &url.URL{Scheme: target.Scheme, Host: target.Host, Path: "/authorize", RawQuery: query}
		r.Host = target.Host
		res, err := client.Do(r)
		if err != nil {
			return // not a request at all
		}
		_ = res.Body.Close()
		if res.StatusCode >= 500 {
			t.Fatalf("%q: status %d", query, res.StatusCode)
		}
		location := res.Header.Get("Location")
		if location == "" || strings.HasPrefix(location, "/") && !strings.HasPrefix(location, "//") {
			return
		}
		u, err := url.Parse(location)
		if err != nil {
			t.Fatalf("%q: leads to %q", query, location)
		}
		loopback := u.Scheme == "http" && u.Hostname() == "127.0.0.1" && u.Path == "/cb"
		liveperson := strings.HasPrefix(location, servertest.WindowURI)
		if u.User != nil || !loopback && !liveperson {
			t.Fatalf("%q: leads to %q", query, location)
		}
	})
}

// FuzzEndSession: no query leads away from the server, except to a registered URI with a
// valid hint.
func FuzzEndSession(f *testing.F) {
	issuer, _ := start(f)
	implicit := servertest.AuthorizeURL(issuer, "response_type", "id_token")
	hint := servertest.Response(f, servertest.NewBrowser(f).SignIn(implicit, "jane", "jane-password")).Get("id_token")
	for _, query := range []string{
		"", "id_token_hint=" + hint, "id_token_hint=" + hint + "&post_logout_redirect_uri=https%3A%2F%2Fevil.example",
		"post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb&state=a%26b", "client_id=local-web&client_id=x",
		"id_token_hint=e30.e30.e30", "%zz", "state=%00",
	} {
		f.Add(query)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "http://x/", nil)
		u, err := url.Parse(issuer)
		if err != nil {
			t.Fatal(err)
		}
		r.RequestURI, r.Host = "", u.Host
		r.URL = &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/end_session", RawQuery: query}
		res, err := client.Do(r)
		if err != nil {
			return // not a request at all
		}
		_ = res.Body.Close()
		if res.StatusCode >= 500 {
			t.Fatalf("%q: status %d", query, res.StatusCode)
		}
		location := res.Header.Get("Location")
		registered := strings.HasPrefix(location, "http://127.0.0.1/cb") && strings.Contains(query, hint)
		if location != "" && !registered {
			t.Fatalf("%q: leads to %q", query, location)
		}
	})
}

// FuzzClientEndpoints: the response to any form at the clients' endpoints is JSON or
// empty, not a server error, and has no token.
func FuzzClientEndpoints(f *testing.F) {
	issuer, _ := start(f)
	secret := "client_id=local-web&client_secret=" + dev.LocalWebSecret
	for _, body := range []string{
		"", secret, secret + "&grant_type=authorization_code&code=a.b&redirect_uri=x",
		secret + "&grant_type=refresh_token&refresh_token=a.b&scope=openid",
		secret + "&token=x&token_type_hint=refresh_token",
		secret + "&response_type=code&scope=openid&redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb",
		secret + "&claims=%7B%7D&request_uri=x", "client_assertion=x.y.z", "a=%zz",
		"grant_type=authorization_code&grant_type=x",
	} {
		for path := range 5 {
			f.Add(path, body)
		}
	}
	paths := []string{"/token", "/par", "/revoke", "/introspect", "/userinfo"}
	f.Fuzz(func(t *testing.T, path int, body string) {
		path = ((path % len(paths)) + len(paths)) % len(paths)
		res, err := http.Post(issuer+paths[path], robot.FormEncoded, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if err != nil || res.StatusCode >= 500 {
			t.Fatalf("%s %q: status %d, %v", paths[path], body, res.StatusCode, err)
		}
		if len(text) > 0 && !json.Valid(text) {
			t.Fatalf("%s %q: responds with %q", paths[path], body, text)
		}
		if strings.Contains(string(text), "access_token\":") || strings.Contains(string(text), `"active":true`) {
			t.Fatalf("%s %q: responds with a token", paths[path], body)
		}
	})
}

// FuzzPosted: the response to any form at an endpoint for browsers is a page, or a
// redirect to the same endpoint without a fragment.
func FuzzPosted(f *testing.F) {
	issuer, _ := start(f)
	good := strings.TrimPrefix(servertest.AuthorizeURL(""), "/authorize?")
	for _, body := range []string{
		good, good + "#code=x", good + "&x=\r\nX-Y: z",
		"id_token_hint=x&post_logout_redirect_uri=https%3A%2F%2Fevil.example", "%zz", "", "a=b;c=d",
	} {
		f.Add(true, body)
		f.Add(false, body)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f.Fuzz(func(t *testing.T, authorize bool, body string) {
		path := "/end_session"
		if authorize {
			path = "/authorize"
		}
		res, err := client.Post(issuer+path, "text/plain", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		location := res.Header.Get("Location")
		samePath := strings.HasPrefix(location, path+"?") && !strings.Contains(location, "#")
		if res.StatusCode >= 500 || location != "" && !samePath {
			t.Fatalf("%s %q: status %d, redirected to %q", path, body, res.StatusCode, location)
		}
	})
}

// FuzzBearer: no made-up Authorization header opens userinfo.
func FuzzBearer(f *testing.F) {
	issuer, _ := start(f)
	for _, header := range []string{
		"", "Bearer", "Bearer x", "bearer a.b", "Basic YTpi", "Bearer a b", "Bearer \x00",
		"Bearer " + strings.Repeat("A", 22) + "." + strings.Repeat("B", 59),
	} {
		f.Add(header)
	}
	f.Fuzz(func(t *testing.T, header string) {
		r, err := http.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			return // no header at all
		}
		_ = res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusBadRequest {
			t.Fatalf("%q: status %d", header, res.StatusCode)
		}
	})
}
