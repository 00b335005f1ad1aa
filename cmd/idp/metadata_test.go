package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpbridge/server"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// TestMetadataNamesEveryRoute compares the discovery document with the routes of
// the very handler that serves it: no endpoint is named that is not there, none
// is there that is not named, and the methods are those of the specifications.
func TestMetadataNamesEveryRoute(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, func(cfg *server.Config) { cfg.Settings.Issuer = "https://brand.example/login" })
	routes := map[string][]string{}
	for _, r := range s.Echo.Routes() {
		routes[r.Path] = append(routes[r.Path], r.Method)
	}
	doc := documentOf(t, s.Handler())

	methods := map[string][]string{
		"authorization_endpoint":                {"GET", "POST"},
		"token_endpoint":                        {"POST", "OPTIONS"},
		"userinfo_endpoint":                     {"GET", "POST", "OPTIONS"},
		"jwks_uri":                              {"GET"},
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
		var address string
		require.NoError(t, json.Unmarshal(raw, &address), member)
		path, ours := strings.CutPrefix(address, "https://brand.example")
		require.True(t, ours, "%s lies elsewhere: %s", member, address)
		require.ElementsMatch(t, methods[member], routes[path], "%s", member)
		named[path] = true
		delete(methods, member)
	}
	require.Empty(t, methods, "endpoints that the document does not name")

	// What is served and not named there, and why it need not be.
	unnamed := map[string]string{
		"/login/.well-known/openid-configuration":       "the document itself",
		"/.well-known/oauth-authorization-server/login": "the document itself, at RFC 8414's address",
		"/login/resume":              "pages of a sign-in go back there",
		"/login/login":               "a page",
		"/login/consent":             "a page",
		"/login/end_session/confirm": "the yes of a page",
		"/login/static/*":            "what pages load",
		"/login/":                    "a sentence for whoever comes to the bare address",
		"/login/keys/public.pem":     "for the form of LiveEngage, which knows no metadata",
		"/login/keys/public.txt":     "likewise",
		"/login/liveengage.js":       "the script of the brand's pages",
		"/login/liveengage/identity": "for that script",
		"/login/liveengage/token":    "likewise",
	}
	for path := range routes {
		require.True(t, named[path] || unnamed[path] != "", "%s is served, and neither named nor excused", path)
	}
	for path := range unnamed {
		require.NotEmpty(t, routes[path], "%s is excused and not served", path)
	}
}

// TestMetadataGolden pins the whole document.
func TestMetadataGolden(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	var doc any
	text := newBrowser(t).get(issuer + discoveryPath).body
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
	require.Equal(t, text, newBrowser(t).get(issuer+"/.well-known/oauth-authorization-server").body, "RFC 8414 has the same")
}

// documentOf asks a handler for its discovery document, over TLS.
func documentOf(t *testing.T, h http.Handler) map[string]json.RawMessage {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "https://brand.example/login/.well-known/openid-configuration", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, http.StatusOK, w.Code, w.Body.String())
	var doc map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &doc))
	return doc
}
