package doctor

import (
	"fmt"
	"strings"
)

// describeDifference describes the first character at which two values differ.
// Characters are counted from one.
func describeDifference(got, want string) string {
	g, w := []rune(got), []rune(want)
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return fmt.Sprintf("character %d is %q and should be %q", i+1, g[i], w[i])
		}
	}
	if len(g) < len(w) {
		return fmt.Sprintf("it ends after %d of %d characters, and the next one should be %q", len(g), len(w), w[len(g)])
	}
	if len(g) > len(w) {
		extra := pluralize(len(g)-len(w), "extra character")
		return fmt.Sprintf("it has %s after the first %d, beginning with %q", extra, len(w), g[len(w)])
	}
	return "they are equal"
}

func capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// pluralize returns a count with its noun, such as "one key" or "3 keys".
func pluralize(n int, noun string) string {
	if n == 1 {
		return "one " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
