package web

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a test flag

func render(t *testing.T, dev bool, s examplePage) (http.Header, string) {
	t.Helper()
	r, err := NewRenderer("/base", exampleBrand, dev)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, r.Render(w, http.StatusTeapot, s.name, s.data, s.policy))
	require.Equal(t, http.StatusTeapot, w.Code)
	return w.Header(), w.Body.String()
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, s := range examplePages() {
		for _, dev := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, dev %v", name, dev), func(t *testing.T) {
				t.Parallel()
				header, body := render(t, dev, s)
				golden(t, fmt.Sprintf("%s_%s.golden", name, map[bool]string{false: "serve", true: "dev"}[dev]), body)

				require.Equal(t, "text/html; charset=utf-8", header.Get("Content-Type"))
				require.Equal(t, "no-store", header.Get("Cache-Control"))
				require.Equal(t, "no-referrer", header.Get("Referrer-Policy"))
				require.Equal(t, "DENY", header.Get("X-Frame-Options"))
				require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"))
				require.NotContains(t, header.Get("Content-Security-Policy"), "unsafe")

				require.Equal(t, 1, strings.Count(body, "<main"), "one main")
				require.Equal(t, 1, strings.Count(body, "<h1"), "one h1")
				require.Contains(t, body, `<html lang="en">`)
				require.NotContains(t, body, "ZgotmplZ", "a value that the template rejected")
				require.NotRegexp(t, `(?i)\sstyle=|<style|\son[a-z]+=`, body, "nothing inline")
				if name != "form_post" {
					require.NotRegexp(t, `<script[^>]*>[^<]`, body, "no inline script")
				}
				for _, m := range regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`).FindAllStringSubmatch(body, -1) {
					if m[1] != "/authorize?again" {
						require.True(t, strings.HasPrefix(m[1], "/base/"), "%s is outside the issuer's path", m[1])
					}
				}
				ids := map[string]bool{}
				for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(body, -1) {
					require.False(t, ids[m[1]], "duplicate id %s", m[1])
					ids[m[1]] = true
				}
				references := regexp.MustCompile(`aria-(?:describedby|labelledby)="([^"]*)"|<label for="([^"]*)"`)
				for _, m := range references.FindAllStringSubmatch(body, -1) {
					require.True(t, ids[m[1]+m[2]], "no element %s", m[1]+m[2])
				}
				require.Equal(t, dev, strings.Contains(body, "Anyone can sign in here"))
			})
		}
	}
}

func TestPagesAreSmall(t *testing.T) {
	t.Parallel()
	shared := 0
	// leave.js is smaller than copy.js, and no page has both.
	for _, name := range []string{"idp.css", "copy.js", "logo.svg"} {
		info, err := os.Stat(filepath.Join("static", name))
		require.NoError(t, err)
		shared += int(info.Size())
	}
	for name, s := range examplePages() {
		_, body := render(t, true, s)
		if name == "setup" { // three forms and code to paste: read at a desk, not on a phone
			require.Less(t, len(body), 32_000)
			continue
		}
		require.Less(t, shared+len(body), 20_000, name)
	}
}

func TestStableIDs(t *testing.T) {
	t.Parallel()
	ids := map[string][]string{
		"signin": {"username", "password", "login-submit"}, "error": {"op-error"}, "signed_out": {"op-logged-out"},
		"logout": {"logout-confirm"}, "consent": {"consent-allow", "consent-deny"},
	}
	for name, want := range ids {
		_, body := render(t, false, examplePages()[name])
		for _, id := range want {
			require.Contains(t, body, `id="`+id+`"`)
		}
	}
}

func TestSecurityPolicy(t *testing.T) {
	t.Parallel()
	// Pages whose form ends elsewhere have no form-action: browsers check all redirects
	// after a form against it, also those of the client.
	for name, want := range map[string]string{
		"signin":            "",
		"signin_refused":    "",
		"consent":           "",
		"logout":            "",
		"form_post":         "; script-src " + formPostScriptHash(),
		"setup":             "; script-src 'self'; form-action 'self'",
		"error":             "; form-action 'self'",
		"inspect":           "; form-action 'self'",
		"signed_out":        "; form-action 'self'",
		"signed_out_frames": "; script-src 'self'; frame-src https://shop.example; form-action 'self'",
	} {
		header, _ := render(t, false, examplePages()[name])
		require.Equal(t, "default-src 'none'; style-src 'self'; img-src 'self' data: https://cdn.bank.example"+want+
			"; frame-ancestors 'none'; base-uri 'none'", header.Get("Content-Security-Policy"), name)
	}
}

func TestFormPostScriptMatchesItsHash(t *testing.T) {
	t.Parallel()
	_, body := render(t, false, examplePages()["form_post"])
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(body, -1)
	require.Len(t, scripts, 1)
	sum := sha256.Sum256([]byte(scripts[0][1]))
	require.Equal(t, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", formPostScriptHash())
	require.Contains(t, body, "<noscript><button", "works without scripts")
	require.Contains(t, html.UnescapeString(body), `value="{"a": "b+c"}"`, "state survives")
}

func TestSignin(t *testing.T) {
	t.Parallel()
	t.Run("focus starts in the first empty field", func(t *testing.T) {
		t.Parallel()
		_, empty := render(t, false, examplePages()["signin"])
		require.Regexp(t, `id="username"[^>]*autofocus`, empty)
		_, named := render(t, false, examplePages()["signin_refused"])
		require.Regexp(t, `id="password"[^>]*autofocus`, named)
		require.Equal(t, 1, strings.Count(named, "autofocus"))
	})
	t.Run("an error is announced and belongs to both fields", func(t *testing.T) {
		t.Parallel()
		_, body := render(t, false, examplePages()["signin_refused"])
		require.Contains(t, body, `id="message" role="alert"`)
		require.Equal(t, 2, strings.Count(body, `aria-describedby="message"`))
	})
	t.Run("demo people only in development mode", func(t *testing.T) {
		t.Parallel()
		_, body := render(t, false, examplePages()["signin_refused"])
		require.NotContains(t, body, "jane-password")
		_, body = render(t, true, examplePages()["signin_refused"])
		require.Equal(t, 3, strings.Count(body, `action="/base/login"`))
		require.Equal(t, 4, strings.Count(body, `name="request" value="sealed"`))
	})
	t.Run("names are escaped", func(t *testing.T) {
		t.Parallel()
		_, body := render(t, false, examplePage{"signin", signInPage{Client: "<b>x", Username: `"><script>`}, Policy{}})
		require.NotContains(t, body, "<b>x")
		require.NotContains(t, body, "<script>")
	})
}

func TestErrorPageShowsTheCauseOnlyInDevelopmentMode(t *testing.T) {
	t.Parallel()
	_, body := render(t, false, examplePages()["error"])
	require.NotContains(t, body, "redirect_uri")
	require.NotContains(t, body, "shop.example/CB")
	_, body = render(t, true, examplePages()["error"])
	require.Contains(t, body, "https://shop.example/<mark>c</mark>b")
	require.Contains(t, body, "https://shop.example/<mark>C</mark>B")
	require.Contains(t, body, "https://shop.example/cb<mark>/</mark>")
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		received, registered string
		want                 uriComparison
	}{
		"shorter": {"https://a/b", "https://a/bc", uriComparison{
			Received: markedText{Same: "https://a/b"}, Registered: markedText{Same: "https://a/b", Mark: "c"},
		}},
		"not ASCII": {"/ä.", "/ö.", uriComparison{
			Received:   markedText{Same: "/", Mark: "ä", Rest: "."},
			Registered: markedText{Same: "/", Mark: "ö", Rest: "."},
		}},
		"invalid UTF-8": {"\uFFFD", "\xff", uriComparison{
			Received: markedText{Mark: "\uFFFD"}, Registered: markedText{Mark: "\xff"},
		}},
		"empty": {"", "a", uriComparison{Registered: markedText{Mark: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := errorView{oidc.ErrorPage{Received: c.received, Registered: []string{c.registered}}}
			require.Equal(t, []uriComparison{c.want}, page.Comparisons())
		})
	}
}

func TestSafeContinueURL(t *testing.T) {
	t.Parallel()
	for uri, safe := range map[string]bool{
		"https://shop.example/bye?a=b": true, "http://localhost:3000/": true, "com.example.app:/bye": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "": false,
	} {
		page := loggedOutView{oidc.LoggedOutPage{ContinueURL: uri}}
		require.Equal(t, safe, page.SafeContinueURL() != "", uri)
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	_, body := render(t, true, examplePages()["home"])
	require.Contains(t, body, `<time datetime="2026-03-04T17:00:00Z">4 Mar 2026, 17:00:00</time>`)
	require.Equal(t, "yesterday", RecentSignin{When: "yesterday"}.FormattedTime())
	require.Contains(t, body, `href="http://localhost:8080/jwks"`)
	require.NotContains(t, body, `href="http://localhost:8080/token"`, "a link would only show an error")
	require.Contains(t, body, `href="http://127.0.0.1:8081/healthz"`)
	_, body = render(t, true, examplePage{"home", HomePage{Operations: "off"}, Policy{}})
	require.Contains(t, body, "<dd>off")
	require.NotContains(t, body, "healthz")
}

func TestRenderSendsNothingOnError(t *testing.T) {
	t.Parallel()
	r, err := NewRenderer("", exampleBrand, false)
	require.NoError(t, err)
	for _, s := range []examplePage{{name: "unknown"}, {name: "signin", data: formPostView{}}} {
		w := httptest.NewRecorder()
		require.Error(t, r.Render(w, http.StatusOK, s.name, s.data, Policy{}))
		require.Empty(t, w.Header())
		require.Zero(t, w.Body.Len())
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	renderer, err := NewRenderer("/base", exampleBrand, false)
	require.NoError(t, err)
	_, body := render(t, false, examplePages()["setup"])
	urls := regexp.MustCompile(`"/base/static/([^"]+)"`).FindAllStringSubmatch(body, -1)
	require.Len(t, urls, 3, "style sheet, icon, copy script")
	get := func(method, path, match string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://localhost/x", http.NoBody)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		renderer.serveStatic(w, r)
		return w
	}
	for _, u := range urls {
		res := get(http.MethodGet, u[1], "")
		require.Equal(t, http.StatusOK, res.Code)
		require.Contains(t, res.Header().Get("Cache-Control"), "immutable")
		contentTypes := []string{"text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"}
		require.Contains(t, contentTypes, res.Header().Get("Content-Type"))
		name, _, _ := strings.Cut(u[1], "?")
		again := get(http.MethodGet, name, res.Header().Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Equal(t, "no-cache", again.Header().Get("Cache-Control"))
	}
	require.Equal(t, http.StatusNotFound, get(http.MethodGet, "", "").Code, "no list of files")
	require.Equal(t, http.StatusNotFound, get(http.MethodGet, "../render.go", "").Code)
	require.Equal(t, http.StatusMethodNotAllowed, get(http.MethodPost, "idp.css", "").Code)
}

// golden compares a page with its golden file. The versions of static files are left
// out, since they change with every edit of those.
func golden(t *testing.T, name, body string) {
	t.Helper()
	body = regexp.MustCompile(`(/static/[a-z.]+)\?[0-9a-f]+`).ReplaceAllString(body, "$1?version")
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, []byte(body), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), body)
}
