package main

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/conformance"
	"idpbridge/server/servertest"
)

// engineLimits are what zitadel/oidc leaves open, and the checks that show it
// closed here. Where the answer is a Go test of its own, it is named.
func engineLimits() map[string][]string {
	return map[string][]string{
		"hybrid answers in the query":             {"hybrid/oidcc-server[code id_token]", "hybrid/oidcc-server[code token]", "hybrid/oidcc-server[code id_token token]"},
		"nonce is not required":                   {"attack/36-nonce-missing", "implicit/oidcc-ensure-request-without-nonce-fails[id_token]"},
		"response_mode is not checked":            {"attack/10-token-in-query", "attack/19-no-web-message"},
		"form_post dies under a policy":           {"attack/12-form-post-error", "formpost-basic/oidcc-server[code, form_post]"},
		"claims are stripped from ID tokens":      {"implicit/oidcc-scope-all[id_token]", "basic/oidcc-scope-all"}, // and TestGoldenTokens
		"a code works more than once":             {"attack/23-code-replay", "attack/24-parallel-code-redemption"},
		"the code comes before the client":        {"attack/60-wrong-secret"},
		"the callback is a bearer link":           {"attack/69-session-fixation"},
		"PKCE can be left out":                    {"attack/29-public-client-without-pkce", "attack/30-pkce-method", "attack/31-pkce-form", "attack/32-wrong-verifier", "attack/34-verifier-missing"},
		"an ID token passes at userinfo":          {"attack/49-bad-token-at-userinfo"},
		"the token endpoint takes GET":            {"attack/63-token-endpoint-by-get"},
		"token answers are stored":                {"attack/46-caching"},
		"any origin, with credentials":            {"attack/15-cross-origin-authorize"},
		"openid is not required":                  {"attack/39-no-openid"},
		"request_uri and claims are ignored":      {"attack/88-request-uri-fetches-nothing", "attack/87-request-object", "basic/oidcc-claims-essential"},
		"the last of repeated parameters wins":    {"attack/08-repeated-parameters"},
		"prompt and max_age are not enforced":     {"attack/70-prompt-none-shows-nothing", "attack/71-prompt-none-with-another", "basic/oidcc-prompt-login", "basic/oidcc-max-age-1"},
		"end_session asks nothing":                {"attack/81-logout-by-image", "extra/hint-of-another-person-asks"},
		"the key set has no cache header":         {"attack/85-key-set"},
		"no iss in answers":                       {"attack/14-issuer-in-answers"},
		"an access token in the address":          {"attack/47-access-token-in-url"},
		"refresh tokens come back":                {"attack/54-spent-refresh-token"},
		"redirect URIs are unescaped once more":   {"attack/02-redirect-uri-encoded-again"},
		"errors in doubt are plain text":          {"attack/03-unknown-client"},
		"response types are refused by the wrong": {"attack/11-response-type-not-allowed"},
		"basic and post are not told apart":       {"attack/62-method-not-registered"},
		"back-channel logout is never sent":       {"backchannel-logout/oidcc-backchannel-rp-initiated-logout[code]"},
	}
}

// TestEngineLimits shows each limit of the protocol library closed, under its own
// name. Beside these: TestAttack/90-storage-flood (requests are stored before the
// sign-in), TestMetadataNamesEveryRoute (discovery lists are fixed),
// TestGoldenTokens (the clock is read inside), TestOIDF (only the relying party is
// certified). Tokens are never encrypted, so that limit waits.
func TestEngineLimits(t *testing.T) {
	t.Parallel()
	s := startConformance(t)
	known := map[string]conformance.Check{}
	for _, c := range conformance.All() {
		known[c.Name] = c
	}
	for limit, names := range engineLimits() {
		t.Run(limit, func(t *testing.T) {
			for _, name := range names {
				check, ok := known[name]
				require.True(t, ok, "there is no check %s", name)
				report(t, check.Run(t.Context(), s.target))
			}
		})
	}
	t.Run("a subject with a colon gets 401", subjectWithColon)
	t.Run("internal errors reach the browser", internalErrors)
	t.Run("its callback is mounted", func(t *testing.T) {
		client := &http.Client{Transport: s.target.HTTP}
		for _, path := range []string{"/authorize/callback", "/auth/callback", "/oauth/token", "/device_authorization", "/ready"} {
			res, err := client.Get(s.target.Issuer + path + "?id=1")
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusNotFound, res.StatusCode, path)
		}
	})
}

// subjectWithColon: an upstream's subject such as "google:123" works everywhere.
func subjectWithColon(t *testing.T) {
	folder := t.TempDir()
	target, c := writeConformance(t, folder, "")
	code, hash, stderr := runCommand(t, "ann-password\n", "people", "hash")
	require.Equal(t, 0, code, stderr)
	require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"),
		[]byte("people:\n  - {username: ann, sub: 'google:123', password_hash: '"+hash[:len(hash)-1]+"', claims: {name: Ann}}\n"), 0o600))
	serveConfig(t, c.now, folder)
	target.Person = conformance.Person{Username: "ann", Password: "ann-password"}
	for _, check := range conformance.All() {
		if check.Name == "basic/oidcc-server" || check.Name == "basic/oidcc-refresh-token" {
			report(t, check.Run(t.Context(), target))
		}
	}
}

// internalErrors: with the database gone, nobody is told of databases.
func internalErrors(t *testing.T) {
	s := servertest.New(t)
	require.NoError(t, s.Store.Close())
	session := "0123456789012345678901.0123456789012345678901234567890123456789012"
	for _, path := range []string{
		webRequest(""), "/end_session", "/login?request=x", "/userinfo", "/resume?request=x", webRequest("", "response_type", "id_token", "prompt", "none"),
	} {
		r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+path, nil)
		r.AddCookie(&http.Cookie{Name: "idp_session", Value: session})
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		said := w.Body.String() + w.Header().Get("Location")
		plain, err := url.QueryUnescape(said)
		require.NoError(t, err)
		for _, word := range []string{"sql", "database", "closed", "panic", ".go:", "goroutine"} {
			require.NotContains(t, plain, word, path)
		}
	}
}
