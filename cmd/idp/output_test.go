package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPrintTable: nothing in a cell can change the terminal.
func TestPrintTable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.NoError(t, printTable(&out, [][]string{{"a\x1b[2J", ""}}))
	require.Equal(t, "a\uFFFD[2J  -\n", out.String())
}

func TestTruncate(t *testing.T) {
	t.Parallel()
	require.Equal(t, "short", truncate("short"))
	require.Equal(t, strings.Repeat("é", 64)+"…", truncate(strings.Repeat("é", 65)))
}
