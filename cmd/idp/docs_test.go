package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/require"
)

// TestEveryCommandIsDocumented compares docs/commands.md with the commands.
func TestEveryCommandIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/commands.md")
	require.NoError(t, err)
	var documented, commands []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(idp [^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, row[1])
	}
	for _, leaf := range commandModel(t).Leaves(true) {
		commands = append(commands, leaf.FullPath())
	}
	require.ElementsMatch(t, commands, documented, "docs/commands.md")
}

func commandModel(t *testing.T) *kong.Application {
	t.Helper()
	parser, err := newParser(t.Context(), &process{stdout: io.Discard, stderr: io.Discard}, func(int) {})
	require.NoError(t, err)
	return parser.Model
}

// commandLine matches a command of idp in a code block or a code span, up to a
// comment, a pipe or the end of the line.
var commandLine = regexp.MustCompile("(?m)(?:^ *|`|\\| )(?:[A-Z_]+=\\S+ )?(?:go run ./cmd/)?idp ([a-z][^`|#\n]*)")

// TestCommandsInTheDocumentationExist finds every command line in the documentation
// and checks that its command and its flags exist.
func TestCommandsInTheDocumentationExist(t *testing.T) {
	t.Parallel()
	model := commandModel(t)
	found := 0
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/adr/*.md"} {
		names, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, name := range names {
			if filepath.Base(name) == "CHANGELOG.md" {
				continue // names commands as they were at the time
			}
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, code := range regexp.MustCompile("(?ms)^```.*?^```|^    .*?$|`[^`\n]+`").FindAllString(string(text), -1) {
				for _, match := range commandLine.FindAllStringSubmatch(code, -1) {
					found++
					requireCommand(t, model, filepath.Base(name), match[1])
				}
			}
		}
	}
	require.Greater(t, found, 50)
}

// requireCommand walks from the program to the command that the line names, and
// looks for its flags there.
func requireCommand(t *testing.T, model *kong.Application, page, line string) {
	t.Helper()
	node, walking := model.Node, true
	for _, word := range strings.Fields(line) {
		if flag, ok := strings.CutPrefix(word, "--"); ok {
			flag, _, _ = strings.Cut(flag, "=")
			require.True(t, hasFlag(node, flag), "%s: idp %s: there is no --%s", page, line, flag)
			continue
		}
		if !walking || len(node.Children) == 0 {
			walking = false
			continue
		}
		child := childNamed(node, word)
		require.NotNil(t, child, "%s: idp %s: there is no command %q", page, line, word)
		node = child
	}
}

func childNamed(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}

func hasFlag(node *kong.Node, name string) bool {
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			if flag.Name == name {
				return true
			}
		}
	}
	return false
}
