package normalize_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/normalize"
)

func TestUsername(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":               "",
		" Ann\t":         "ann",
		"jose\u0301":     "jos\u00e9",
		"JOSE\u0301":     "jos\u00e9",
		"JOS\u00c9":      "jos\u00e9",
		"\uff21nn":       "ann",
		"stra\u00dfe":    "stra\u00dfe",
		"\u212bngstrom":  "\u00e5ngstrom", // ANGSTROM SIGN
		"anna maria":     "anna maria",
		"a@EXAMPLE.com":  "a@example.com",
		"\u1100\u1161":   "\uac00",
		"q\u0307\u0323x": "q\u0323\u0307x",
	} {
		require.Equal(t, want, normalize.Username(in), "%+q", in)
		require.Equal(t, want, normalize.Username(want), "%+q is stable", want)
	}
}

func TestPassword(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Gro\u0308\u00dfe9 ": " Gr\u00f6\u00dfe9 ",
		"a\u00a0b\u3000c":     "a b c",
		"a\tb\n":              "a\tb\n",
		"\uff21":              "\uff21",
	} {
		require.Equal(t, want, normalize.Password(in), "%+q", in)
	}
	// strings.Map would replace bytes that are not UTF-8, and passwords would become equal.
	require.NotEqual(t, normalize.Password("a\xff"), normalize.Password("a\xfe"))
}
