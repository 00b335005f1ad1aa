package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"flag"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
	"idpbridge/liveengage/setup"
	"idpbridge/oidc"
	"idpbridge/web"
)

var update = flag.Bool("update", false, "rewrite the golden files") //nolint:gochecknoglobals // a test flag

// brand has an address for everything, the logo's on another host.
var brand = web.Brand{
	Name: "Example Bank", LogoURL: "https://cdn.bank.example/logo.svg",
	HelpURL: "https://bank.example/help", PrivacyURL: "https://bank.example/privacy",
}

// shown is a page with everything on it that it can have.
type shown struct {
	name   string
	page   any
	policy web.Policy
}

func everyPage() map[string]shown {
	people := []web.DemoPerson{
		{Username: "jane", Password: "jane-password", Name: "Jane Alice Doe", Note: "Gold customer"},
		{Username: "noa", Password: "noa-password", Name: "נועה לוי", Note: "A name from right to left"},
	}
	made := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	sheet := setup.NewSheet(setup.Facts{
		Issuer: "https://login.bank.example", AuthorizationEndpoint: "https://login.bank.example/authorize",
		TokenEndpoint: "https://login.bank.example/token", JWKSEndpoint: "https://login.bank.example/jwks",
		ClientID: "liveengage", Now: made.Add(80 * time.Hour), Delegation: true, TokenRedirectURI: "https://liveperson.net",
		Key: setup.Key{
			Line: "MIIBIjANBgkqhkiG9w0B" + strings.Repeat("AbC/", 90) + "IDAQAB", ID: "k1",
			Fingerprint: "SHA256:Wv0mVx2tQ5tTqjVbqz5fG0bqj1x0o2kC1lYf3b8m9aE", Created: made, Pinned: true, Retired: true,
		},
		RedirectURIs: []string{"https://lpcdn.lpsnmedia.net/le_unified_window/index.html"},
		Page: setup.Page{
			Script: "https://login.bank.example/liveengage.js?client_id=liveengage", Origins: []string{"https://www.bank.example"},
			Code: true, ReturnURI: "https://www.bank.example/chat",
		},
		Encryption:      []setup.EncryptionKey{{ID: "lpsso2026", Fingerprint: "AA:BB", NotAfter: made.AddDate(2, 0, 0)}},
		ContentEncoding: "A128CBC-HS256", Deviations: []setup.Deviation{{Name: "nonce_optional", Sentence: "The window sends none."}},
	})
	inspected := inspect.Token("eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.eyJpc3MiOiJodHRwczovL2xvZ2luLmJhbmsuZXhhbXBsZSIsInN1YiI6ImphbmVAZXhhbXBsZS5jb20iLCJnaXZlbl9uYW1lIjoiPGI-In0.",
		inspect.Expectations{Now: made})
	return map[string]shown{
		"signin": {"signin", web.SigninPage{Client: "Example Shop", Request: "sealed"}, web.Policy{}},
		"signin_refused": {"signin", web.SigninPage{
			Client: "Example Shop", Request: "sealed", Username: "jane", Message: "Check both and try again.", People: people,
		}, web.Policy{FormAction: []string{"https://shop.example"}}},
		"consent": {"consent", web.ConsentPage{
			Client: "Example Shop", Person: "Jane", Request: "sealed", Scopes: []string{"openid", "lp_sdes", "points"},
		}, web.Policy{}},
		"error": {"error", web.ErrorView{ErrorPage: oidc.ErrorPage{
			Title: "That did not work", Message: "The address is not registered.", Remedy: "Tell whoever runs it.", Reference: "7QK4-M2XD",
			Cause: "redirect_uri", Received: "https://shop.example/cb", Registered: []string{"https://shop.example/CB", "https://shop.example/cb/"},
		}}, web.Policy{}},
		"form_post": {
			"form_post",
			web.FormPostView{Action: "https://shop.example/cb", Fields: []oidc.Param{{Name: "state", Value: `{"a": "b+c"}`}}},
			web.Policy{FormAction: []string{"https://shop.example"}, ScriptHash: web.FormPostScriptHash()},
		},
		"logout":     {"logout", web.LogoutView{Client: "Example Shop", Person: "Jane", Request: "sealed"}, web.Policy{}},
		"signed_out": {"signed_out", web.LoggedOutView{LoggedOutPage: oidc.LoggedOutPage{ContinueURL: "https://shop.example/bye"}}, web.Policy{}},
		"signed_out_frames": {"signed_out", web.LoggedOutView{LoggedOutPage: oidc.LoggedOutPage{
			ContinueURL: "https://shop.example/bye?state=a%26b", Frames: []string{"https://shop.example/out?iss=https%3A%2F%2Fbank.example&sid=s"},
		}}, web.Policy{Frames: []string{"https://shop.example"}}},
		"home": {"home", web.HomePage{
			Issuer: "http://localhost:8080", DataDir: "/data/idp", Operations: "127.0.0.1:8081", ClientID: "liveengage", TryURL: "/base/try", InspectURL: "/base/inspect",
			Person: "Jane", People: people,
			Endpoints: []web.Field{{Name: "/jwks", Value: "http://localhost:8080/jwks"}, {Name: "/token", Value: "http://localhost:8080/token"}},
			Signins:   []web.RecentSignin{{When: "2026-03-04T17:00:00Z", Person: "jane", Client: "local-app", Reference: "7QK4-M2XD", Outcome: "redeemed"}},
		}, web.Policy{}},
		"token":   {"token", web.TokenPage{IDToken: "e30.e30.c2ln", Header: "{}", Claims: "{}", InspectURL: "/base/inspect"}, web.Policy{}},
		"setup":   {"setup", web.SetupPage{Sheet: sheet}, web.Policy{}},
		"inspect": {"inspect", web.InspectPage{Action: "/base/inspect", Issuer: "https://login.bank.example"}, web.Policy{}},
		"inspect_report": {"inspect", web.InspectPage{
			Action: "/base/inspect", Issuer: "https://login.bank.example", Text: "</textarea>e30.e30.c2ln", Verdict: "2 faults",
			Report: &inspected,
		}, web.Policy{}},
	}
}

func render(t *testing.T, dev bool, s shown) (http.Header, string) {
	t.Helper()
	r, err := web.NewRenderer("/base", brand, dev)
	require.NoError(t, err)
	w := httptest.NewRecorder()
	require.NoError(t, r.Render(w, http.StatusTeapot, s.name, s.page, s.policy))
	require.Equal(t, http.StatusTeapot, w.Code)
	return w.Header(), w.Body.String()
}

func TestPages(t *testing.T) {
	t.Parallel()
	for name, s := range everyPage() {
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
				require.NotContains(t, body, "ZgotmplZ", "a value that the template refused")
				require.NotRegexp(t, `(?i)\sstyle=|<style|\son[a-z]+=`, body, "nothing inline")
				if name != "form_post" {
					require.NotRegexp(t, `<script[^>]*>[^<]`, body, "no inline script")
				}
				for _, m := range regexp.MustCompile(`(?:href|src|action)="(/[^"]*)"`).FindAllStringSubmatch(body, -1) {
					if m[1] != "/authorize?again" {
						require.True(t, strings.HasPrefix(m[1], "/base/"), "%s lies outside the issuer's path", m[1])
					}
				}
				ids := map[string]bool{}
				for _, m := range regexp.MustCompile(`\sid="([^"]*)"`).FindAllStringSubmatch(body, -1) {
					require.False(t, ids[m[1]], "id %s twice", m[1])
					ids[m[1]] = true
				}
				for _, m := range regexp.MustCompile(`aria-(?:describedby|labelledby)="([^"]*)"|<label for="([^"]*)"`).FindAllStringSubmatch(body, -1) {
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
	for _, name := range []string{"idp.css", "copy.js", "logo.svg"} { // leave.js is smaller than copy.js, and no page has both
		info, err := os.Stat(filepath.Join("static", name))
		require.NoError(t, err)
		shared += int(info.Size())
	}
	for name, s := range everyPage() {
		_, body := render(t, true, s)
		if name == "setup" { // three forms, each with the key and every mistake, and the code to paste: read at a desk, not on a phone
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
		_, body := render(t, false, everyPage()[name])
		for _, id := range want {
			require.Contains(t, body, `id="`+id+`"`)
		}
	}
}

func TestSecurityPolicy(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"signin":            "form-action 'self'",
		"signin_refused":    "form-action 'self' https://shop.example",
		"setup":             "script-src 'self'; form-action 'self'",
		"signed_out":        "form-action 'self'",
		"signed_out_frames": "script-src 'self'; frame-src https://shop.example; form-action 'self'",
		"form_post":         "script-src " + web.FormPostScriptHash() + "; form-action 'self' https://shop.example",
	} {
		header, _ := render(t, false, everyPage()[name])
		require.Equal(t, "default-src 'none'; style-src 'self'; img-src 'self' data: https://cdn.bank.example; "+want+
			"; frame-ancestors 'none'; base-uri 'none'", header.Get("Content-Security-Policy"), name)
	}
}

func TestFormPostScriptMatchesItsHash(t *testing.T) {
	t.Parallel()
	_, body := render(t, false, everyPage()["form_post"])
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(body, -1)
	require.Len(t, scripts, 1)
	sum := sha256.Sum256([]byte(scripts[0][1]))
	require.Equal(t, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'", web.FormPostScriptHash())
	require.Contains(t, body, "<noscript><button", "works without scripts")
	require.Contains(t, html.UnescapeString(body), `value="{"a": "b+c"}"`, "state survives")
}

func TestSignin(t *testing.T) {
	t.Parallel()
	t.Run("focus starts in the first empty field", func(t *testing.T) {
		t.Parallel()
		_, empty := render(t, false, everyPage()["signin"])
		require.Regexp(t, `id="username"[^>]*autofocus`, empty)
		_, named := render(t, false, everyPage()["signin_refused"])
		require.Regexp(t, `id="password"[^>]*autofocus`, named)
		require.Equal(t, 1, strings.Count(named, "autofocus"))
	})
	t.Run("a refusal is announced and tied to both fields", func(t *testing.T) {
		t.Parallel()
		_, body := render(t, false, everyPage()["signin_refused"])
		require.Contains(t, body, `id="message" role="alert"`)
		require.Equal(t, 2, strings.Count(body, `aria-describedby="message"`))
	})
	t.Run("nobody to click on outside the development mode", func(t *testing.T) {
		t.Parallel()
		_, body := render(t, false, everyPage()["signin_refused"])
		require.NotContains(t, body, "jane-password")
		_, body = render(t, true, everyPage()["signin_refused"])
		require.Equal(t, 3, strings.Count(body, `action="/base/login"`))
		require.Equal(t, 3, strings.Count(body, `name="request" value="sealed"`))
	})
	t.Run("names are text", func(t *testing.T) {
		t.Parallel()
		_, body := render(t, false, shown{"signin", web.SigninPage{Client: "<b>x", Username: `"><script>`}, web.Policy{}})
		require.NotContains(t, body, "<b>x")
		require.NotContains(t, body, "<script>")
	})
}

func TestErrorHidesTheCauseOutsideTheDevelopmentMode(t *testing.T) {
	t.Parallel()
	_, body := render(t, false, everyPage()["error"])
	require.NotContains(t, body, "redirect_uri")
	require.NotContains(t, body, "shop.example/CB")
	_, body = render(t, true, everyPage()["error"])
	require.Contains(t, body, "https://shop.example/<mark>c</mark>b")
	require.Contains(t, body, "https://shop.example/<mark>C</mark>B")
	require.Contains(t, body, "https://shop.example/cb<mark>/</mark>")
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		received, registered string
		want                 web.Comparison
	}{
		"shorter":        {"https://a/b", "https://a/bc", web.Comparison{Received: web.Compared{Same: "https://a/b"}, Registered: web.Compared{Same: "https://a/b", Mark: "c"}}},
		"whole letters":  {"/ä.", "/ö.", web.Comparison{Received: web.Compared{Same: "/", Mark: "ä", Rest: "."}, Registered: web.Compared{Same: "/", Mark: "ö", Rest: "."}}},
		"no valid UTF-8": {"\uFFFD", "\xff", web.Comparison{Received: web.Compared{Mark: "\uFFFD"}, Registered: web.Compared{Mark: "\xff"}}},
		"nothing":        {"", "a", web.Comparison{Registered: web.Compared{Mark: "a"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, []web.Comparison{c.want}, web.ErrorView{ErrorPage: oidc.ErrorPage{Received: c.received, Registered: []string{c.registered}}}.Comparisons())
		})
	}
}

func TestContinue(t *testing.T) {
	t.Parallel()
	for address, kept := range map[string]bool{
		"https://shop.example/bye?a=b": true, "http://localhost:3000/": true, "com.example.app:/bye": true,
		"javascript:alert(1)": false, "data:text/html,x": false, "": false,
	} {
		require.Equal(t, kept, (web.LoggedOutView{LoggedOutPage: oidc.LoggedOutPage{ContinueURL: address}}).Continue() != "", address)
	}
}

func TestHome(t *testing.T) {
	t.Parallel()
	_, body := render(t, true, everyPage()["home"])
	require.Contains(t, body, `<time datetime="2026-03-04T17:00:00Z">4 Mar 2026, 17:00:00</time>`)
	require.Equal(t, "yesterday", web.RecentSignin{When: "yesterday"}.At())
	require.Contains(t, body, `href="http://localhost:8080/jwks"`)
	require.NotContains(t, body, `href="http://localhost:8080/token"`, "a link would only show an error")
	require.Contains(t, body, `href="http://127.0.0.1:8081/healthz"`)
	_, body = render(t, true, shown{"home", web.HomePage{Operations: "off"}, web.Policy{}})
	require.Contains(t, body, "switched off")
	require.NotContains(t, body, "healthz")
}

func TestRenderSendsNothingWhenItCannot(t *testing.T) {
	t.Parallel()
	r, err := web.NewRenderer("", brand, false)
	require.NoError(t, err)
	for _, s := range []shown{{name: "nowhere"}, {name: "signin", page: web.FormPostView{}}} {
		w := httptest.NewRecorder()
		require.Error(t, r.Render(w, http.StatusOK, s.name, s.page, web.Policy{}))
		require.Empty(t, w.Header())
		require.Zero(t, w.Body.Len())
	}
}

func TestStatic(t *testing.T) {
	t.Parallel()
	_, body := render(t, false, everyPage()["setup"])
	addresses := regexp.MustCompile(`"/base/static/([^"]+)"`).FindAllStringSubmatch(body, -1)
	require.Len(t, addresses, 3, "style sheet, icon, copy script")
	get := func(method, path, match string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://localhost/x", http.NoBody)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(path, "?")
		r.Header.Set("If-None-Match", match)
		w := httptest.NewRecorder()
		web.Static().ServeHTTP(w, r)
		return w
	}
	for _, a := range addresses {
		res := get(http.MethodGet, a[1], "")
		require.Equal(t, http.StatusOK, res.Code)
		require.Contains(t, res.Header().Get("Cache-Control"), "immutable")
		require.Contains(t, []string{"text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"}, res.Header().Get("Content-Type"))
		name, _, _ := strings.Cut(a[1], "?")
		again := get(http.MethodGet, name, res.Header().Get("ETag"))
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Equal(t, "no-cache", again.Header().Get("Cache-Control"))
	}
	require.Equal(t, http.StatusNotFound, get(http.MethodGet, "", "").Code, "no list of files")
	require.Equal(t, http.StatusNotFound, get(http.MethodGet, "../render.go", "").Code)
	require.Equal(t, http.StatusMethodNotAllowed, get(http.MethodPost, "idp.css", "").Code)
}

// TestContrast computes WCAG 2.2's contrast of every pair of colours that text
// or a meaningful border is made of, in both designs.
func TestContrast(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join("static", "idp.css"))
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	css, err := io.ReadAll(f)
	require.NoError(t, err)
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), 2)
	require.Len(t, blocks, 2)
	colours := map[string]string{}
	for design, block := range blocks { // dark overrides light
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{3,6})\b`).FindAllStringSubmatch(block[1], -1) {
			colours[m[1]] = m[2]
		}
		for pair, least := range map[[2]string]float64{
			{"text", "page"}: 4.5, {"text", "surface"}: 4.5, {"text", "field"}: 4.5, {"muted", "page"}: 4.5, {"muted", "surface"}: 4.5,
			{"accent", "surface"}: 4.5, {"on-accent", "accent"}: 4.5, {"on-accent", "accent-strong"}: 4.5,
			{"danger", "danger-surface"}: 4.5, {"danger", "surface"}: 4.5, {"on-warn", "warn"}: 4.5, {"border", "surface"}: 3, {"focus", "page"}: 3, {"focus", "surface"}: 3,
		} {
			require.GreaterOrEqual(t, contrast(t, colours[pair[0]], colours[pair[1]]), least, "%v in design %d", pair, design)
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	n, err := strconv.ParseUint(hex, 16, 32)
	require.NoError(t, err)
	linear := func(v uint64) float64 {
		c := float64(v&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

// golden compares a page with its recorded form; versions in the addresses of
// static files are left out, since they change with every edit of those.
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
