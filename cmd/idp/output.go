package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"unicode"
)

// errReported is the error of a command that has already printed what is wrong.
// The exit status is then exitFailure, and nothing more is printed.
var errReported = errors.New("reported on standard output")

// printJSON prints a value as indented JSON.
func printJSON(out io.Writer, value any) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(value)
}

// printTable prints rows in aligned columns. An empty cell becomes "-". Control
// characters are replaced, because they could change the terminal.
func printTable(out io.Writer, rows [][]string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = cmp.Or(replaceControls(cell), "-")
		}
		_, _ = fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	return w.Flush()
}

func replaceControls(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// textIf returns text if the condition holds, otherwise "".
func textIf(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}

// truncate shortens a string for a message.
func truncate(s string) string {
	const longest = 64
	if runes := []rune(s); len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return s
}
