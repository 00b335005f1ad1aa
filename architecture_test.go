package idpbridge_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// arrows says what of ours each package may import. The linter says the same;
// this holds where it is not installed. Widening a list takes an ADR.
var arrows = map[string][]string{
	".":               nil,
	"claims":          nil,
	"cookie":          nil,
	"limit":           nil,
	"testdata":        nil,
	"liveengage":      {"claims", "keys"},
	"keys":            nil,
	"upstream":        {"claims"},
	"config":          {"claims", "upstream"},
	"oidc":            {"claims", "cookie", "keys"},
	"web":             {"claims", "cookie", "liveengage", "upstream"},
	"store":           {"claims", "keys", "oidc", "upstream", "web"},
	"store/storetest": {"claims", "keys", "oidc", "upstream", "web"},
	"internal/pgtest": nil,
	"cmd/idp":         {"claims", "config", "cookie", "keys", "limit", "liveengage", "oidc", "store", "testdata", "upstream", "web"},
}

// exclusive says which packages alone may import a module.
var exclusive = map[string][]string{
	"github.com/zitadel/oidc":     {"oidc"},
	"github.com/coreos/go-oidc":   {"upstream"},
	"database/sql":                {"store", "internal/pgtest"},
	"github.com/jackc/pgx":        {"store", "internal/pgtest"},
	"modernc.org/sqlite":          {"store"},
	"github.com/labstack/echo":    {"oidc", "web", "cmd/idp"},
	"github.com/stretchr/testify": {"store/storetest"},
	"github.com/go-jose/go-jose":  {"keys", "oidc"},
	"github.com/goccy/go-yaml":    {"config"},
	"github.com/alecthomas/kong":  {"cmd/idp"},
	"golang.org/x/crypto/argon2":  {"upstream"},
	"github.com/pressly/goose":    {"store"},
	"github.com/prometheus":       {"cmd/idp"},
}

func TestArrowsPointInward(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		allowed, known := arrows[folder]
		require.True(t, known, "%s: the folder is not in the table of arrows", folder)
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if ours, ok := strings.CutPrefix(name, "idpbridge/"); ok {
				require.Contains(t, allowed, ours, "%s imports %s against the arrows", path, ours)
				continue
			}
			if folder == "claims" {
				first, _, _ := strings.Cut(name, "/")
				require.NotContains(t, first, ".", "%s: claims uses the standard library only", path)
			}
			for module, folders := range exclusive {
				if strings.HasPrefix(name, module) {
					require.True(t, slices.Contains(folders, folder), "%s imports %s; only %v may", path, name, folders)
				}
			}
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.LessOrEqual(t, strings.Count(string(text), "\n"), 400, "%s is too long to be one thing", path)
		if folder != "cmd/idp" {
			require.NotContains(t, string(text), "time.Now()", "%s: take a now func() time.Time", path)
		}
		return nil
	})
	require.NoError(t, err)
}
