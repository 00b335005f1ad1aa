package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzAuthorize: no query whatever leads away from the server but to a redirect
// URI that is registered.
func FuzzAuthorize(f *testing.F) {
	issuer := startDev(f, time.Now)
	for _, changes := range [][]string{
		nil,
		{"redirect_uri", "http://127.0.0.1:1@evil.example/cb"},
		{"redirect_uri", "http://127.0.0.1:99999/cb"},
		{"redirect_uri", "http://127.0.0.1/cb\r\nX: y"},
		{"client_id", "liveengage", "redirect_uri", "https://liveperson.net"},
		{"response_type", "id_token token", "prompt", "none"},
		{"response_mode", "form_post", "scope", ""},
		{"prompt", "none", "state", "a&b=c#d\"><script>"},
	} {
		f.Add(strings.TrimPrefix(webRequest("", changes...), "/authorize?"))
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
		liveperson := strings.HasPrefix(location, "https://liveperson.net") || strings.HasPrefix(location, "https://lpcdn.lpsnmedia.net/le_unified_window/index.html")
		if u.User != nil || !loopback && !liveperson {
			t.Fatalf("%q: leads to %q", query, location)
		}
	})
}
