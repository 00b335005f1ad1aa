package idpbridge_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "idpbridge"

// allowance is what the code of one folder may import beside the standard
// library. Tests may import more; see the rules below.
type allowance struct {
	ours   []string // folders of this module
	theirs []string // modules of others, by the beginning of their path
}

const (
	echo     = "github.com/labstack/echo/v4"
	jose     = "github.com/go-jose/go-jose/v4"
	yaml     = "github.com/goccy/go-yaml"
	zitadel  = "github.com/zitadel/oidc/v3"
	gooidc   = "github.com/coreos/go-oidc/v3"
	testify  = "github.com/stretchr/testify"
	pgx      = "github.com/jackc/pgx/v5"
	sqlite   = "modernc.org/sqlite"
	goose    = "github.com/pressly/goose/v3"
	kong     = "github.com/alecthomas/kong"
	prom     = "github.com/prometheus/client_golang"
	argon2   = "golang.org/x/crypto/argon2"
	norm     = "golang.org/x/text/unicode/norm"
	width    = "golang.org/x/text/width"
	xhtml    = "golang.org/x/net/html"
	socket   = "github.com/coder/websocket"
	errgroup = "golang.org/x/sync/errgroup"
	xterm    = "golang.org/x/term"
	chromedp = "github.com/chromedp"
)

// arrows is docs/adr/0001 as a table. A folder that is not in it fails the test:
// a new one is a decision.
func arrows() map[string]allowance {
	return map[string]allowance{
		".":      {},
		"claims": {},
		"cmd/idp": {
			ours: []string{
				"claims",
				"config",
				"conformance",
				"dev",
				"doctor",
				"internal/fetch",
				"internal/netaddr",
				"internal/normalize",
				"internal/password",
				"internal/pkce",
				"internal/robot",
				"internal/secret",
				"keys",
				"liveengage",
				"liveengage/api",
				"liveengage/explain",
				"liveengage/inspect",
				"liveengage/setup",
				"liveengage/sim",
				"oidc",
				"server",
				"upstream",
			},
			theirs: []string{kong, xterm},
		},
		"config": {
			ours: []string{
				"claims",
				"internal/filemode",
				"internal/netaddr",
				"internal/normalize",
				"internal/password",
				"internal/pgurl",
				"internal/secret",
				"internal/spelling",
				"keys",
				"liveengage",
				"oidc",
			},
			theirs: []string{yaml},
		},
		"conformance": {
			ours: []string{
				"internal/netaddr",
				"internal/pkce",
				"internal/robot",
			},
			theirs: []string{jose},
		},
		"dev": {
			ours: []string{
				"config",
				"internal/fetch",
				"internal/pkce",
				"internal/secret",
				"keys",
				"liveengage",
				"liveengage/inspect",
				"liveengage/setup",
				"liveengage/sim",
				"oidc",
				"server",
				"web",
			},
			theirs: []string{echo},
		},
		"doctor": {
			ours: []string{
				"internal/fetch",
				"internal/robot",
				"internal/secret",
				"keys",
				"liveengage",
				"liveengage/inspect",
			},
		},
		"internal/chrome": {
			theirs: []string{chromedp, testify},
		},
		"internal/filemode":  {}, // of the standard library alone
		"internal/cookie":    {},
		"internal/fetch":     {},
		"internal/jwtclaims": {},
		"internal/limit":     {},
		"internal/memnet":    {},
		"internal/netaddr":   {},
		"internal/pages":     {},
		"internal/normalize": {
			theirs: []string{norm, width},
		},
		"internal/password": {
			ours:   []string{"internal/normalize"},
			theirs: []string{argon2},
		},
		"internal/pgurl": {
			ours:   []string{"internal/netaddr"},
			theirs: []string{pgx},
		},
		"internal/pgtest": {
			theirs: []string{pgx},
		},
		"internal/pkce": {},
		"internal/robot": {
			theirs: []string{xhtml},
		},
		"internal/seal":     {theirs: []string{jose}},
		"internal/secret":   {},
		"internal/spelling": {},
		"interop":           {},
		"interop/keycloak":  {theirs: []string{testify}},
		"keys": {
			ours: []string{
				"internal/filemode",
				"internal/secret",
			},
			theirs: []string{jose},
		},
		"liveengage": {},
		"liveengage/api": {
			ours: []string{
				"internal/fetch",
				"internal/netaddr",
				"internal/secret",
				"liveengage",
				"liveengage/explain",
				"liveengage/oauth1",
			},
			theirs: []string{socket},
		},
		"liveengage/explain": {
			ours: []string{
				"internal/spelling",
				"liveengage",
				"liveengage/oauth1",
			},
		},
		"liveengage/inspect": {
			ours: []string{
				"claims",
				"keys",
				"liveengage",
			},
			theirs: []string{jose},
		},
		"liveengage/oauth1": {},
		"liveengage/setup": {
			ours: []string{
				"liveengage",
			},
		},
		"liveengage/sim": {
			ours: []string{
				"claims",
				"internal/fetch",
				"internal/netaddr",
				"internal/pages",
				"internal/pkce",
				"internal/secret",
				"keys",
				"liveengage",
				"liveengage/explain",
				"liveengage/oauth1",
				"liveengage/setup",
			},
			theirs: []string{errgroup, jose, socket},
		},
		"oidc": {
			ours: []string{
				"claims",
				"internal/cookie",
				"internal/jwtclaims",
				"internal/limit",
				"internal/netaddr",
				"internal/pkce",
				"internal/seal",
				"internal/secret",
				"keys",
				"liveengage",
				"session",
			},
			theirs: []string{echo, jose, zitadel},
		},
		"server": {
			ours: []string{
				"config",
				"internal/cookie",
				"internal/fetch",
				"internal/filemode",
				"internal/limit",
				"internal/netaddr",
				"keys",
				"liveengage",
				"liveengage/setup",
				"oidc",
				"session",
				"store",
				"upstream",
				"web",
			},
			theirs: []string{echo, errgroup, prom},
		},
		"server/servertest": {
			ours: []string{
				"config",
				"conformance",
				"dev",
				"internal/robot",
				"internal/secret",
				"keys",
				"server",
			},
			theirs: []string{jose, testify},
		},
		"session": {
			ours: []string{
				"claims",
				"internal/cookie",
				"liveengage",
			},
		},
		"store": {
			ours: []string{
				"claims",
				"internal/filemode",
				"internal/pgurl",
				"keys",
				"oidc",
				"session",
				"upstream",
			},
			theirs: []string{goose, pgx, sqlite},
		},
		"store/storetest": {
			ours: []string{
				"claims",
				"keys",
				"oidc",
				"session",
				"upstream",
			},
			theirs: []string{testify},
		},
		"upstream": {
			ours: []string{
				"claims",
				"internal/jwtclaims",
				"internal/normalize",
				"internal/password",
				"internal/secret",
				"keys",
			},
			theirs: []string{jose},
		},
		"web": {
			ours: []string{
				"claims",
				"internal/cookie",
				"internal/limit",
				"internal/normalize",
				"internal/pages",
				"liveengage/inspect",
				"liveengage/setup",
				"oidc",
				"session",
				"upstream",
			},
			theirs: []string{echo},
		},
	}
}

// source is one Go file of this module.
type source struct {
	path    string // from the root, with slashes
	folder  string
	test    bool
	lines   int
	syntax  *ast.File
	fileset *token.FileSet
}

// sources parses every Go file of the module, tests included.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	require.NoError(t, filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "bin") {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(base) != ".go" {
			return nil
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		fileset := token.NewFileSet()
		syntax, err := parser.ParseFile(fileset, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(name)
		out = append(out, source{
			path: slashed, folder: path.Dir(slashed), test: strings.HasSuffix(base, "_test.go"),
			lines: bytes.Count(text, []byte("\n")), syntax: syntax, fileset: fileset,
		})
		return nil
	}))
	require.NotEmpty(t, out)
	return out
}

func (s source) imports(t *testing.T) []string {
	t.Helper()
	out := make([]string, 0, len(s.syntax.Imports))
	for _, spec := range s.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		require.NoError(t, err, s.path)
		out = append(out, name)
	}
	return out
}

// ours returns the folder of an import of this module.
func ours(name string) (string, bool) {
	if name == module {
		return ".", true
	}
	return strings.CutPrefix(name, module+"/")
}

// standard says whether an import is of the standard library: the first part of
// its path has no dot.
func standard(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return !strings.Contains(first, ".")
}

// within says whether an import is the module or a package of it.
func within(name, of string) bool { return name == of || strings.HasPrefix(name, of+"/") }

func TestArrowsPointInward(t *testing.T) {
	t.Parallel()
	allowed := arrows()
	for _, s := range sources(t) {
		allow, known := allowed[s.folder]
		assert.True(t, known, "%s: add the folder %s to the table of arrows and to docs/adr/0001", s.path, s.folder)
		if s.test {
			continue
		}
		for _, name := range s.imports(t) {
			if folder, ok := ours(name); ok {
				assert.True(t, slices.Contains(allow.ours, folder), "%s may not import %s (docs/adr/0001)", s.path, name)
				continue
			}
			foreign := func(of string) bool { return within(name, of) }
			allowed := standard(name) || slices.ContainsFunc(allow.theirs, foreign)
			assert.True(t, allowed, "%s may not import %s (docs/adr/0001)", s.path, name)
		}
	}
}

// TestNoUnusedAllowance keeps the table from permitting what no code imports.
func TestNoUnusedAllowance(t *testing.T) {
	t.Parallel()
	used := map[string][]string{}
	for _, s := range sources(t) {
		if !s.test {
			used[s.folder] = append(used[s.folder], s.imports(t)...)
		}
	}
	for folder, allow := range arrows() {
		for _, name := range allow.ours {
			assert.Contains(t, used[folder], module+"/"+name, "%s may import %s and does not", folder, name)
		}
		for _, library := range allow.theirs {
			imports := func(name string) bool { return within(name, library) }
			assert.True(t, slices.ContainsFunc(used[folder], imports), "%s may import %s and does not", folder, library)
		}
	}
}

// TestEveryFolderOfTheTableExists keeps the table from permitting what is gone.
func TestEveryFolderOfTheTableExists(t *testing.T) {
	t.Parallel()
	for folder := range arrows() {
		found, err := filepath.Glob(filepath.FromSlash(folder) + "/*.go")
		require.NoError(t, err)
		assert.NotEmpty(t, found, "%s is in the table and has no Go files", folder)
	}
}

// TestLibrariesStayInTheirFolders holds for tests too, but for the libraries that
// play the foreign client.
func TestLibrariesStayInTheirFolders(t *testing.T) {
	t.Parallel()
	rules := []struct {
		library string
		folders []string // where code may use it
		tests   bool     // whether every test may
	}{
		{zitadel, []string{"oidc"}, true},
		{gooidc, nil, true},
		{testify, []string{"store/storetest", "server/servertest", "internal/chrome", "interop/keycloak"}, true},
		{chromedp, []string{"internal/chrome"}, true},
		{"database/sql", []string{"store", "internal/pgtest"}, true},
		{sqlite, []string{"store"}, true},
		{echo, []string{"oidc", "web", "server", "dev"}, false},
		{kong, []string{"cmd/idp"}, false},
		{socket, []string{"liveengage/api", "liveengage/sim"}, true},
		{module + "/store", []string{"server"}, true},
		{"unsafe", nil, false},
		{"math/rand", nil, false},
	}
	for _, s := range sources(t) {
		for _, name := range s.imports(t) {
			for _, r := range rules {
				if !within(name, r.library) || slices.Contains(r.folders, s.folder) || s.test && r.tests {
					continue
				}
				assert.Fail(t, "import in the wrong folder", "%s imports %s", s.path, name)
			}
		}
	}
}

// TestOnlyMainReadsTheClock looks for the name, called or passed on as a value.
func TestOnlyMainReadsTheClock(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		forTests := []string{"internal/pgtest", "store/storetest", "server/servertest"}
		if s.test || slices.Contains(forTests, s.folder) || strings.HasPrefix(s.folder, "cmd/") {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := selector.X.(*ast.Ident)
			if ok && of.Name == "time" && slices.Contains([]string{"Now", "Since", "Until"}, selector.Sel.Name) {
				assert.Fail(t, "the clock is read below main", "%s: take a now func() time.Time", s.fileset.Position(n.Pos()))
			}
			return true
		})
	}
}

func TestFilesAndFunctionsStayShort(t *testing.T) {
	t.Parallel()
	const longestFile, longestFunction = 400, 80
	for _, s := range sources(t) {
		if !s.test {
			assert.Less(t, s.lines, longestFile, "%s: cut it in two", s.path)
		}
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || s.test {
				continue
			}
			lines := s.fileset.Position(f.End()).Line - s.fileset.Position(f.Pos()).Line + 1
			assert.Less(t, lines, longestFunction, "%s: %s is too long", s.fileset.Position(f.Pos()), f.Name.Name)
		}
	}
}

func TestNothingHappensAtImport(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, d := range s.syntax.Decls {
			f, ok := d.(*ast.FuncDecl)
			assert.False(t, ok && f.Recv == nil && f.Name.Name == "init", "%s has an init function", s.path)
		}
	}
}
