package inspect_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
)

// example is a text with a finding at a place.
type example struct {
	where, text string
	change      func(*inspect.Expectations) // of the expectations; nil for none
}

// allExamples returns at least one example for each code.
func allExamples(t testing.TB) map[string][]example {
	t.Helper()
	all := map[string][]example{}
	for _, group := range []map[string][]example{
		textExamples(), headerExamples(t), encryptionExamples(t), keyExamples(t), timeExamples(), subjectExamples(),
		claimExamples(), sdesExamples(),
	} {
		for code := range group {
			require.NotContains(t, all, code)
		}
		maps.Copy(all, group)
	}
	return all
}

func TestEveryFindingHasAnExample(t *testing.T) {
	t.Parallel()
	all := allExamples(t)
	known := map[string]bool{}
	for _, kind := range inspect.FindingKinds() {
		require.False(t, known[kind.Code], "%s is listed twice", kind.Code)
		known[kind.Code] = true
		require.NotEmpty(t, all[kind.Code], "no example for %s", kind.Code)
		require.NotEmpty(t, kind.Meaning, kind.Code)
		require.NotEmpty(t, kind.Remedy, kind.Code)
		for _, e := range all[kind.Code] {
			expected := goodExpectations()
			if e.change != nil {
				e.change(&expected)
			}
			report := inspect.Token(e.text, expected)
			require.Equal(t, kind.Level, requireFinding(t, report, kind.Code, e.where).Level)
			requireCompleteFindings(t, report)
		}
	}
	for code := range all {
		require.True(t, known[code], "%s is not a known code", code)
	}
}

// requireCompleteFindings checks that findings have all fields, are on one line and do
// not repeat.
func requireCompleteFindings(t *testing.T, report inspect.Report) {
	t.Helper()
	seen := map[inspect.Finding]bool{}
	for _, f := range report.Findings {
		require.NotEmpty(t, f.Problem, f.Code)
		require.NotEmpty(t, f.Remedy, f.Code)
		require.NotEmpty(t, f.Level, "%s is not a known code", f.Code)
		require.NotContains(t, f.Problem+f.Where+f.Remedy, "\n", f.Code)
		require.False(t, seen[f], "%s at %s is reported twice", f.Code, f.Where)
		seen[f] = true
	}
}

// TestFindingKindsAreDocumented compares the table in docs/token-inspect.md with the
// code. With -update it writes the table.
func TestFindingKindsAreDocumented(t *testing.T) {
	t.Parallel()
	const begin, end = "<!-- findings: written by the tests with -update -->\n", "<!-- end of findings -->"
	var table strings.Builder
	table.WriteString("| code | level | what it means | what to do |\n| --- | --- | --- | --- |\n")
	escape := strings.NewReplacer("|", `\|`, "<", "&lt;")
	for _, k := range inspect.FindingKinds() {
		cells := []string{"`" + k.Code + "`", string(k.Level), escape.Replace(k.Meaning), escape.Replace(k.Remedy)}
		table.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	file := filepath.Join("..", "..", "docs", "token-inspect.md")
	page, err := os.ReadFile(file)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(page), begin)
	require.True(t, ok)
	documented, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(before+begin+table.String()+end+after), 0o644))
		return
	}
	require.Equal(t, table.String(), documented)
}
