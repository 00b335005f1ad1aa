package dev

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/server"
)

// TestEveryEndpointIsDocumented compares the tables of docs/endpoints.md with the
// routes of a server as idp serve runs it, of its operations address, and of idp dev.
func TestEveryEndpointIsDocumented(t *testing.T) {
	t.Parallel()
	production := newServer(t, nil)
	development := newServer(t, (&environment{}).mountPages)
	operations, ok := production.OperationsHandler().(*echo.Echo)
	require.True(t, ok)

	public := routesOf(production.Echo)
	require.ElementsMatch(t, public, documented(t, "For clients", "For pages with a chat", "Pages"))
	require.ElementsMatch(t, routesOf(operations), documented(t, "Operations"))
	only := slices.DeleteFunc(routesOf(development.Echo), func(route string) bool {
		return route != "GET /" && slices.Contains(public, route)
	})
	require.ElementsMatch(t, only, documented(t, "Only with idp dev"))
}

// TestWhatDiscoveryNamesIsDocumented looks for the claims, scopes and response types of
// the discovery document in docs/claims.md and docs/flows.md.
func TestWhatDiscoveryNamesIsDocumented(t *testing.T) {
	t.Parallel()
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080"+oidc.PathDiscovery, nil)
	newServer(t, nil).Handler().ServeHTTP(recorder, request)
	var metadata struct {
		Claims        []string `json:"claims_supported"`
		Scopes        []string `json:"scopes_supported"`
		ResponseTypes []string `json:"response_types_supported"`
	}
	require.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &metadata))
	require.NotEmpty(t, metadata.Claims)
	claims := readPage(t, "claims.md")
	for _, name := range metadata.Claims {
		require.Contains(t, claims, "`"+name+"`", "docs/claims.md does not name the claim")
	}
	require.Subset(t, firstColumn(claims, "Scopes"), metadata.Scopes)
	require.ElementsMatch(t, metadata.ResponseTypes, firstColumn(readPage(t, "flows.md"), "Flows"))
}

// readPage reads a page of docs/.
func readPage(t *testing.T, name string) string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "docs", name))
	require.NoError(t, err)
	return string(page)
}

// firstColumn returns what the rows of a section begin with, in backquotes.
func firstColumn(page, section string) []string {
	_, text, _ := strings.Cut(page, "# "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var cells []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		cells = append(cells, row[1])
	}
	return cells
}

func newServer(t *testing.T, mount func(*server.Server) error) *server.Server {
	t.Helper()
	settings, err := Settings(filepath.Join(t.TempDir(), "data"))
	require.NoError(t, err)
	settings.Issuer = "http://127.0.0.1:8080"
	s, err := server.New(t.Context(), server.Config{
		Settings: settings, Clients: Clients(), Log: slog.New(slog.DiscardHandler), Now: time.Now, Mount: mount,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func routesOf(e *echo.Echo) []string {
	var routes []string
	for _, r := range e.Routes() {
		if slices.Contains([]string{http.MethodGet, http.MethodPost}, r.Method) {
			routes = append(routes, r.Method+" "+r.Path)
		}
	}
	return routes
}

// documented returns the routes in the tables of these sections of docs/endpoints.md.
func documented(t *testing.T, sections ...string) []string {
	t.Helper()
	page := readPage(t, "endpoints.md")
	var routes []string
	for _, section := range sections {
		_, text, found := strings.Cut(page, "\n## "+section+"\n")
		require.True(t, found, "docs/endpoints.md has no section %s", section)
		text, _, _ = strings.Cut(text, "\n## ")
		for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| ([A-Z, ]+) \\|").FindAllStringSubmatch(text, -1) {
			for method := range strings.SplitSeq(row[2], ", ") {
				routes = append(routes, method+" "+row[1])
			}
		}
	}
	return routes
}
