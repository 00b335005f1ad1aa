package claims_test

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
)

// TestEveryClaimIsDocumented compares the tables of docs/claims.md with the
// structs: the claims of each scope, and the fields of lp_sdes.
func TestEveryClaimIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/claims.md")
	require.NoError(t, err)

	byScope := map[string][]string{}
	for _, name := range jsonNames(claims.Standard{}) {
		byScope[claims.ScopeOf(name)] = append(byScope[claims.ScopeOf(name)], name)
	}
	require.NotContains(t, byScope, "", "a standard claim that no scope releases")
	for scope, names := range byScope {
		require.ElementsMatch(t, names, namesInRow(t, text, "`"+scope+"`"), "docs/claims.md, scope %s", scope)
	}
	for first, of := range map[string]any{
		"`" + `{"type":"ctmrinfo","info":{…}}` + "`":     claims.CustomerInfo{},
		"`" + `{"type":"personal","personal":{…}}` + "`": claims.PersonalInfo{},
	} {
		require.Subset(t, namesInRow(t, text, first), jsonNames(of), "docs/claims.md, lp_sdes")
		require.Len(t, namesInRow(t, text, first), len(jsonNames(of))+1, "docs/claims.md, lp_sdes: a field that is gone")
	}
}

// jsonNames returns the JSON names of a struct's fields.
func jsonNames(of any) []string {
	var names []string
	for i := range reflect.TypeOf(of).NumField() {
		name, _, _ := strings.Cut(reflect.TypeOf(of).Field(i).Tag.Get("json"), ",")
		names = append(names, name)
	}
	return names
}

// namesInRow returns what is in backticks in the second column of the row that
// begins with first. The name of the people file's key counts too.
func namesInRow(t *testing.T, text []byte, first string) []string {
	t.Helper()
	rows := strings.Split(string(text), "\n")
	at := slices.IndexFunc(rows, func(row string) bool { return strings.HasPrefix(row, "| "+first+" |") })
	require.GreaterOrEqual(t, at, 0, "docs/claims.md has no row %s", first)
	var names []string
	row := strings.TrimPrefix(rows[at], "| "+first)
	for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row, -1) {
		names = append(names, match[1])
	}
	return names
}
