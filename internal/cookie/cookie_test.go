package cookie_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/cookie"
)

func TestSetAndClear(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy     cookie.Policy
		set, clear string
	}{
		"https": {
			cookie.Policy{Secure: true},
			"__Host-session=a.b; Path=/; HttpOnly; Secure; SameSite=Lax",
			"__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		},
		"http on loopback": {
			cookie.Policy{},
			"session=a.b; Path=/; HttpOnly; SameSite=Lax",
			"session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			c.policy.Set(w, c.policy.Name("session"), "a.b")
			c.policy.Clear(w, c.policy.Name("session"))
			require.Equal(t, []string{c.set, c.clear}, w.Header().Values("Set-Cookie"))
		})
	}
}

func TestGet(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		headers []string
		want    string
	}{
		"none":                      {nil, ""},
		"one":                       {[]string{"s=a"}, "a"},
		"one among others":          {[]string{"x=1; s=a; y=2"}, "a"},
		"of another name":           {[]string{"S=a; ss=b; __Host-s=c"}, ""},
		"two":                       {[]string{"s=a; s=b"}, ""},
		"the same twice":            {[]string{"s=a; s=a"}, ""},
		"two in two headers":        {[]string{"s=a", "s=b"}, ""},
		"one and an empty one":      {[]string{"s=a; s="}, ""},
		"one and one without value": {[]string{"s=a; s"}, ""},
		"one and a malformed one":   {[]string{"s=a; s=\x01"}, ""},
		"only a malformed one":      {[]string{"s=\x01"}, ""},
		"an empty one":              {[]string{"s="}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.Header["Cookie"] = c.headers
			require.Equal(t, c.want, cookie.Policy{}.Get(r, "s"))
		})
	}
}

// mostCookies is how many cookies net/http reads. If a request has more, it reads none.
const mostCookies = 3000 - 1

// FuzzCookie: a value is read only if the name occurs once, and what is set is read
// back unless there is another cookie of that name.
func FuzzCookie(f *testing.F) {
	for _, seed := range []string{
		"", "s=a", "s=a; s=b", "x=1; s=a", "s", `s="a b"`, "s=a;s=\x01", " s =a", "s=a=b", "s= 0",
		strings.Repeat(";", 3001),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		var p cookie.Policy
		occurs := 0
		for pair := range strings.SplitSeq(header, ";") {
			name, _, _ := strings.Cut(strings.Trim(pair, " \t\r\n"), "=")
			if strings.Trim(name, " \t\r\n") == "s" {
				occurs++
			}
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{header}
		if got := p.Get(r, "s"); got != "" {
			require.Equal(t, 1, occurs)
			require.Contains(t, header, got)
		}
		w := httptest.NewRecorder()
		p.Set(w, "s", "abc_-.9")
		pair, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
		r.Header["Cookie"] = []string{header, pair}
		if occurs == 0 && strings.Count(header, ";") < mostCookies {
			require.Equal(t, "abc_-.9", p.Get(r, "s"))
		} else {
			require.Empty(t, p.Get(r, "s"))
		}
	})
}

// TestNamesPerIssuer: an issuer with a path or a port has cookies that no other issuer of the
// host has.
func TestNamesPerIssuer(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, issuer := range []string{
		"https://brand.example", "https://brand.example/a", "https://brand.example/b", "https://brand.example:8443",
		"https://brand.example:8443/a", "http://127.0.0.1:8080", "http://127.0.0.1:8081",
	} {
		u, err := url.Parse(issuer)
		require.NoError(t, err)
		name := cookie.PolicyFor(u).Name("session")
		require.Empty(t, seen[name], "%s and %s share a cookie", issuer, seen[name])
		seen[name] = issuer
	}
	require.Contains(t, seen, "__Host-session", "the plain name at the root")
}
