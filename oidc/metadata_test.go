package oidc_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// TestMetadataNamesEveryRoute compares the discovery document with the routes of the
// handler that serves it: every endpoint that it names exists, every endpoint that exists
// is named, and the methods are those of the specifications.
func TestMetadataNamesEveryRoute(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, func(cfg *server.Config) { cfg.Settings.Issuer = "https://brand.example/login" })
	routes := map[string][]string{}
	for _, r := range s.Echo.Routes() {
		routes[r.Path] = append(routes[r.Path], r.Method)
	}
	doc := getMetadata(t, s.Handler())

	methods := map[string][]string{
		"authorization_endpoint":                {"GET", "POST"},
		"token_endpoint":                        {"POST", "OPTIONS"},
		"userinfo_endpoint":                     {"GET", "POST", "OPTIONS"},
		"jwks_uri":                              {"GET", "OPTIONS"},
		"end_session_endpoint":                  {"GET", "POST"},
		"revocation_endpoint":                   {"POST", "OPTIONS"},
		"introspection_endpoint":                {"POST"},
		"pushed_authorization_request_endpoint": {"POST", "OPTIONS"},
	}
	named := map[string]bool{}
	for member, raw := range doc {
		if !strings.HasSuffix(member, "_endpoint") && member != "jwks_uri" && member != "check_session_iframe" {
			continue
		}
		var endpoint string
		require.NoError(t, json.Unmarshal(raw, &endpoint), member)
		path, ours := strings.CutPrefix(endpoint, "https://brand.example")
		require.True(t, ours, "%s is elsewhere: %s", member, endpoint)
		require.ElementsMatch(t, methods[member], routes[path], "%s", member)
		named[path] = true
		delete(methods, member)
	}
	require.Empty(t, methods, "endpoints that the document does not name")

	// Routes that the document need not name, and why.
	unnamed := map[string]string{
		"/login/.well-known/openid-configuration":       "the document itself",
		"/.well-known/oauth-authorization-server/login": "the document itself, at RFC 8414's URL",
		"/login/resume":              "pages of a sign-in go back there",
		"/login/login":               "a page",
		"/login/consent":             "a page",
		"/login/login/cancel":        "a page",
		"/login/end_session/confirm": "the button of a page",
		"/login/static/*":            "files that pages load",
		"/login/":                    "a sentence for users who open the issuer",
		"/login/keys/public.pem":     "for LiveEngage's form, which does not read metadata",
		"/login/keys/public.txt":     "for the same",
		"/login/liveengage.js":       "the page script",
		"/login/liveengage/identity": "for the page script",
		"/login/liveengage/token":    "for the same",
	}
	for path := range routes {
		require.True(t, named[path] || unnamed[path] != "", "%s is served, but neither named nor listed here", path)
	}
	for path := range unnamed {
		require.NotEmpty(t, routes[path], "%s is listed here and not served", path)
	}
}

// TestMetadataGolden compares the whole document with a file. Rewrite it with -update.
func TestMetadataGolden(t *testing.T) {
	t.Parallel()
	issuer, _ := start(t)
	var doc any
	text := servertest.NewBrowser(t).Get(issuer + oidc.PathDiscovery).Body
	require.NoError(t, json.Unmarshal([]byte(strings.ReplaceAll(text, issuer, "https://login.brand.example")), &doc))
	got, err := json.MarshalIndent(doc, "", "  ")
	require.NoError(t, err)
	file := filepath.Join("testdata", "discovery.golden")
	if *update {
		require.NoError(t, os.WriteFile(file, append(got, '\n'), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got)+"\n")
	require.Equal(t, text, servertest.NewBrowser(t).Get(issuer+"/.well-known/oauth-authorization-server").Body,
		"the same at RFC 8414's URL")
}

// documentOf asks a handler for its discovery document, over TLS.
func getMetadata(t *testing.T, h http.Handler) map[string]json.RawMessage {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://brand.example/login/.well-known/openid-configuration", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &doc))
	return doc
}
