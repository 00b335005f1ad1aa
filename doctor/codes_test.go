package doctor_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryCodeIsDocumented compares the codes with the tables of docs/doctor.md,
// both ways, and makes sure that each code is used and that no finding has one
// that is no constant.
func TestEveryCodeIsDocumented(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	declared, used := map[string]string{}, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Code" && len(n.Values) == 1 {
					value, ok := n.Values[0].(*ast.BasicLit)
					require.True(t, ok)
					code, err := strconv.Unquote(value.Value)
					require.NoError(t, err)
					require.Regexp(t, `^[a-z]+(-[a-z0-9]+)*$`, code)
					declared[n.Names[0].Name] = code
				}
			case *ast.Ident:
				used[n.Name] = used[n.Name] || name != "codes.go"
			case *ast.CallExpr:
				called, ok := n.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				at := map[string]int{"addFinding": 1, "addOK": 0, "addUnreachable": 0}
				if i, found := at[called.Sel.Name]; found && i < len(n.Args) {
					_, literal := n.Args[i].(*ast.BasicLit)
					require.False(t, literal, "%s: a code is no constant", name)
				}
			}
			return true
		})
	}
	require.Greater(t, len(declared), 50)

	text, err := os.ReadFile(filepath.Join("..", "docs", "doctor.md"))
	require.NoError(t, err)
	documented := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z0-9-]+)` \\| (.+) \\| (.+) \\|$").FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(row[1], "-") {
			documented[row[1]] = true
		}
	}
	for name, code := range declared {
		require.True(t, used[name], "no finding has %s", name)
		require.True(t, documented[code], "docs/doctor.md has no row for %s", code)
		delete(documented, code)
	}
	require.Empty(t, documented, "docs/doctor.md has rows for codes that there are not")
}
