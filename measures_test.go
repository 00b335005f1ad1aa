package idpbridge_test

import (
	"go/ast"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
)

// measures are what docs/adr/0020 compares with other projects.
type measures struct {
	lines     int // of Go, with tests
	functions int // unexported functions and methods, without tests
	oneWord   int // of them, those with a name of one word
	letters   int // of their names together
	tagless   int // switch statements without a tag
}

// TestNamesCanBeGuessed bounds the measures, and with -v prints them.
func TestNamesCanBeGuessed(t *testing.T) {
	t.Parallel()
	var m measures
	for _, s := range sources(t) {
		m.lines += s.lines
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			m.add(n, s.test)
			return true
		})
	}
	oneWord := 100 * float64(m.oneWord) / float64(m.functions)
	length := float64(m.letters) / float64(m.functions)
	tagless := 1000 * float64(m.tagless) / float64(m.lines)
	t.Logf("%d lines; %d unexported functions: %.0f %% named by one word, mean length %.1f; "+
		"%.1f tagless switches in 1,000 lines", m.lines, m.functions, oneWord, length, tagless)
	assert.Less(t, oneWord, 15.0, "too many unexported functions are named by one word: name what they do to what")
	assert.Greater(t, length, 10.0, "the names of unexported functions are too short to be guessed")
	assert.Less(t, tagless, 1.2, "too many switches without a tag: prefer an early return")
}

func (m *measures) add(n ast.Node, test bool) {
	switch n := n.(type) {
	case *ast.SwitchStmt:
		if n.Tag == nil {
			m.tagless++
		}
	case *ast.FuncDecl:
		name := n.Name.Name
		if test || n.Name.IsExported() || name == "main" || name == "_" {
			return
		}
		m.functions++
		m.letters += len(name)
		if !strings.ContainsFunc(name, unicode.IsUpper) {
			m.oneWord++
		}
	}
}
