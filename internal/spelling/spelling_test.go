package spelling_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/spelling"
)

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"issuer", "issuer", 0},
		{"", "abc", 3},
		{"abc", "", 3},
		{"isuer", "issuer", 1},
		{"issuer", "isuer", 1},
		{"issuer", "isseur", 2},
		{"kitten", "sitting", 3},
	} {
		require.Equal(t, c.want, spelling.Distance(c.a, c.b), "%q to %q", c.a, c.b)
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	known := []string{"clients", "issuer", "people", "data"}
	for word, want := range map[string]string{
		"isuer": "issuer", "ISSUER": "issuer", "poeple": "people", "date": "data", "x": "", "": "", "colour": "",
		strings.Repeat("x", 100): "",
	} {
		require.Equal(t, want, spelling.Nearest(word, known), word)
	}
	require.Empty(t, spelling.Nearest("issuer", nil))
}
