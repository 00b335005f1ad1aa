package idpbridge_test

import (
	"go/ast"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMetricsEventsAndLogMessagesAreDocumented compares the tables of the runbook
// with the source: the names of metrics, the events that are counted, and the
// messages that are logged.
func TestMetricsEventsAndLogMessagesAreDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/runbook.md")
	require.NoError(t, err)
	found := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if name := metricName(n); name != "" {
					found["Metrics"] = append(found["Metrics"], name)
				}
			case *ast.CallExpr:
				if section, value := recorded(n); section != "" {
					require.NotEmpty(t, value, "%s: only a constant can be documented", s.fileset.Position(n.Pos()))
					found[section] = append(found[section], value)
				}
			}
			return true
		})
	}
	for _, section := range []string{"Metrics", "Events", "Log messages"} {
		slices.Sort(found[section])
		documented := rowsOf(string(text), section)
		require.ElementsMatch(t, slices.Compact(found[section]), documented, "docs/runbook.md, %s", section)
	}
}

// TestMessagesQuotedInTheRunbookExist looks for the parts of each message that the
// runbook quotes, so that operators find their section by searching for it.
func TestMessagesQuotedInTheRunbookExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/runbook.md")
	require.NoError(t, err)
	var code strings.Builder
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok {
				code.WriteString(stringValue(literal) + "\n")
			}
			return true
		})
	}
	quoted := regexp.MustCompile("(?m)^> (.+)$").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, quoted)
	for _, message := range quoted {
		for part := range strings.SplitSeq(message[1], "…") {
			found := strings.Contains(code.String(), strings.TrimSpace(part))
			require.True(t, found, "docs/runbook.md quotes %q, but no message contains %q", message[1], part)
		}
	}
}

// metricName returns the field Name of options of the Prometheus library, such as
// prometheus.GaugeOpts, and empty for everything else.
func metricName(literal *ast.CompositeLit) string {
	kind, ok := literal.Type.(*ast.SelectorExpr)
	if !ok || lastName(kind.X) != "prometheus" || !strings.HasSuffix(kind.Sel.Name, "Opts") {
		return ""
	}
	for _, element := range literal.Elts {
		if field, ok := element.(*ast.KeyValueExpr); ok && lastName(field.Key) == "Name" {
			return stringValue(field.Value)
		}
	}
	return ""
}

// recorded returns the section of the runbook and the text that a call counts or logs.
func recorded(call *ast.CallExpr) (section, value string) {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", ""
	}
	switch selector.Sel.Name {
	case "events", "Events":
		return "Events", stringValue(call.Args[0])
	case "countEvent":
		if _, forwarded := call.Args[0].(*ast.Ident); !forwarded {
			return "Events", stringValue(call.Args[0])
		}
	case "repeat": // logs the failure of periodic work by the message that it is given
		return "Log messages", stringValue(call.Args[2])
	case "DebugContext", "InfoContext", "WarnContext", "ErrorContext":
		if _, parameter := call.Args[1].(*ast.Ident); parameter {
			return "", "" // within repeat
		}
		return "Log messages", stringValue(call.Args[1])
	case "Debug", "Info", "Warn", "Error":
		if of := lastName(selector.X); len(call.Args) > 0 && strings.EqualFold(of, "log") {
			return "Log messages", stringValue(call.Args[0])
		}
	}
	return "", ""
}

// lastName is the name, or the last part of a selector.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// stringValue is the value of a string literal. "prefix"+expression is prefixNAME,
// as the runbook writes it; every other expression is empty.
func stringValue(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		value, err := strconv.Unquote(e.Value)
		if err == nil && e.Kind == token.STRING {
			return value
		}
	case *ast.BinaryExpr:
		first, second := stringValue(e.X), stringValue(e.Y)
		if first != "" && second == "" {
			return first + "NAME"
		}
		return first + second
	}
	return ""
}

// rowsOf returns what the rows of a section's tables begin with, without labels in
// braces.
func rowsOf(text, section string) []string {
	_, text, _ = strings.Cut(text, "\n## "+section+"\n")
	text, _, _ = strings.Cut(text, "\n## ")
	var rows []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`{]+)[^`]*` \\|").FindAllStringSubmatch(text, -1) {
		rows = append(rows, row[1])
	}
	return rows
}
