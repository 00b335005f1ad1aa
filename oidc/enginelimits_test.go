package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
	"idpbridge/internal/password"
	"idpbridge/server/servertest"
)

// engineLimits are the gaps that zitadel/oidc leaves to its user, and the checks that
// show them closed here.
func engineLimits() map[string][]string {
	return map[string][]string{
		"hybrid answers in the query": {
			"hybrid/oidcc-server[code id_token]",
			"hybrid/oidcc-server[code token]",
			"hybrid/oidcc-server[code id_token token]",
		},
		"nonce is not required": {
			"attack/36-nonce-missing",
			"implicit/oidcc-ensure-request-without-nonce-fails[id_token]",
		},
		"response_mode is not checked": {"attack/10-token-in-query", "attack/19-no-web-message"},
		"form_post dies under a policy": {
			"attack/12-form-post-error",
			"formpost-basic/oidcc-server[code, form_post]",
		},
		"claims are stripped from ID tokens": { // and TestGoldenTokens
			"implicit/oidcc-scope-all[id_token]",
			"basic/oidcc-scope-all",
		},
		"a code works more than once":      {"attack/23-code-replay", "attack/24-parallel-code-redemption"},
		"the code comes before the client": {"attack/60-wrong-secret"},
		"the callback is a bearer link":    {"attack/69-session-fixation"},
		"PKCE can be left out": {
			"attack/29-public-client-without-pkce",
			"attack/30-pkce-method",
			"attack/31-pkce-form",
			"attack/32-wrong-verifier",
			"attack/34-verifier-missing",
		},
		"an ID token passes at userinfo": {"attack/49-bad-token-at-userinfo"},
		"the token endpoint takes GET":   {"attack/63-token-endpoint-by-get"},
		"token answers are stored":       {"attack/46-caching"},
		"any origin, with credentials":   {"attack/15-cross-origin-authorize"},
		"openid is not required":         {"attack/39-no-openid"},
		"request_uri and claims are ignored": {
			"attack/88-request-uri-fetches-nothing",
			"attack/87-request-object",
			"basic/oidcc-claims-essential",
		},
		"the last of repeated parameters wins": {"attack/08-repeated-parameters"},
		"prompt and max_age are not enforced": {
			"attack/70-prompt-none-shows-nothing",
			"attack/71-prompt-none-with-another",
			"basic/oidcc-prompt-login",
			"basic/oidcc-max-age-1",
		},
		"end_session asks nothing":                {"attack/81-logout-by-image", "extra/hint-of-another-person-asks"},
		"the key set has no cache header":         {"attack/85-key-set"},
		"no iss in answers":                       {"attack/14-issuer-in-answers"},
		"an access token in the address":          {"attack/47-access-token-in-url"},
		"refresh tokens come back":                {"attack/54-spent-refresh-token"},
		"redirect URIs are unescaped once more":   {"attack/02-redirect-uri-encoded-again"},
		"error pages are plain text":              {"attack/03-unknown-client"},
		"response types are refused by the wrong": {"attack/11-response-type-not-allowed"},
		"basic and post are not told apart":       {"attack/62-method-not-registered"},
		"back-channel logout is never sent":       {"backchannel-logout/oidcc-backchannel-rp-initiated-logout[code]"},
	}
}

// TestEngineLimits shows that each gap is closed. These tests belong here as well:
// TestAttack/90-storage-flood (requests are stored before the sign-in),
// TestMetadataNamesEveryRoute (the lists in discovery are fixed) and TestGoldenTokens
// (the library reads the clock).
func TestEngineLimits(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	for limit, names := range engineLimits() {
		t.Run(limit, func(t *testing.T) {
			for _, name := range names {
				requirePassed(t, findCheck(t, name).Run(t.Context(), s.Target))
			}
		})
	}
	t.Run("a subject with a colon gets 401", testSubjectWithColon)
	t.Run("internal errors reach the browser", testInternalErrors)
	t.Run("its callback is mounted", func(t *testing.T) {
		b := servertest.NewBrowser(t)
		b.Transport = s.Target.HTTP
		for _, path := range []string{
			"/authorize/callback", "/auth/callback", "/oauth/token", "/device_authorization", "/ready",
		} {
			require.Equal(t, http.StatusNotFound, b.Get(s.Issuer+path+"?id=1").Status, path)
		}
	})
}

// testSubjectWithColon: an upstream's subject such as "google:123" works everywhere.
func testSubjectWithColon(t *testing.T) {
	folder := t.TempDir()
	target, clock := servertest.WriteConformance(t, folder, "")
	hash, err := password.Hash("ann-password")
	require.NoError(t, err)
	people := "people:\n  - {username: ann, sub: 'google:123', password_hash: '" + hash + "', claims: {name: Ann}}\n"
	servertest.WriteFiles(t, folder, map[string][]byte{"people.yaml": []byte(people)})
	servertest.StartFile(t, filepath.Join(folder, "idp.yaml"), clock.Now)
	target.Person = conformance.Person{Username: "ann", Password: "ann-password"}
	for _, name := range []string{"basic/oidcc-server", "basic/oidcc-refresh-token"} {
		requirePassed(t, findCheck(t, name).Run(t.Context(), target))
	}
}

// testInternalErrors: without a database, no page or response mentions one.
func testInternalErrors(t *testing.T) {
	s := servertest.New(t)
	require.NoError(t, s.Store.Close())
	session := "0123456789012345678901.0123456789012345678901234567890123456789012"
	for _, path := range []string{
		servertest.AuthorizeURL(""), "/end_session", "/login?request=x", "/userinfo", "/resume?request=x",
		servertest.AuthorizeURL("", "response_type", "id_token", "prompt", "none"),
	} {
		r := httptest.NewRequest(http.MethodGet, s.Issuer+path, nil)
		r.AddCookie(&http.Cookie{Name: s.Cookies.Name("idp_session"), Value: session})
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		plain, err := url.QueryUnescape(w.Body.String() + w.Header().Get("Location"))
		require.NoError(t, err)
		for _, word := range []string{"sql", "database", "closed", "panic", ".go:", "goroutine"} {
			require.NotContains(t, plain, word, path)
		}
	}
}
