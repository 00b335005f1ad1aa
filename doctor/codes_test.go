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

// TestCodesAreDocumented compares the codes with the tables of docs/doctor.md in
// both directions. It also checks that each code is used, and that every finding
// uses a constant.
func TestCodesAreDocumented(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	declared, used := map[string]string{}, map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		ast.Inspect(syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if kind, ok := n.Type.(*ast.Ident); ok && kind.Name == "Code" && len(n.Values) == 1 {
					declared[n.Names[0].Name] = codeValue(t, n.Values[0])
					return false
				}
			case *ast.Ident:
				used[n.Name] = true
			case *ast.CallExpr:
				requireConstantCode(t, name, n)
			}
			return true
		})
	}
	require.Greater(t, len(declared), 50)

	documented := documentedCodes(t)
	for name, code := range declared {
		require.True(t, used[name], "no finding has the code %s", name)
		require.True(t, documented[code], "docs/doctor.md has no row for %s", code)
		delete(documented, code)
	}
	require.Empty(t, documented, "docs/doctor.md has rows for codes that do not exist")
}

func codeValue(t *testing.T, value ast.Expr) string {
	t.Helper()
	literal, ok := value.(*ast.BasicLit)
	require.True(t, ok)
	code, err := strconv.Unquote(literal.Value)
	require.NoError(t, err)
	require.Regexp(t, `^[a-z]+(-[a-z0-9]+)*$`, code)
	return code
}

// requireConstantCode checks the first argument of a call that adds a finding.
func requireConstantCode(t *testing.T, file string, call *ast.CallExpr) {
	t.Helper()
	adds := map[string]bool{
		"addOK": true, "addSkip": true, "addNote": true, "addWarning": true, "addError": true, "addUnreachable": true,
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !adds[method.Sel.Name] {
		return
	}
	_, literal := call.Args[0].(*ast.BasicLit)
	require.False(t, literal, "%s: %s needs a constant", file, method.Sel.Name)
}

func documentedCodes(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "doctor.md"))
	require.NoError(t, err)
	row := regexp.MustCompile("(?m)^\\| `([a-z][a-z0-9-]*)` \\| (.+) \\| (.+) \\|$")
	codes := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(string(text), -1) {
		codes[match[1]] = true
	}
	return codes
}
