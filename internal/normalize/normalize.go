// Package normalize makes strings that look the same to the user the same: a keyboard, an
// operating system or a paste may compose or decompose characters (RFC 8265).
package normalize

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/width"
)

// Username returns what a username is compared as (RFC 8265 section 3.3): without space
// around it, full-width and half-width characters mapped, in lower case, and in
// normalization form C. It refuses nothing.
func Username(s string) string {
	return norm.NFC.String(strings.ToLower(width.Fold.String(norm.NFC.String(strings.TrimSpace(s)))))
}

// Password returns what a password is hashed and compared as (RFC 8265 section 4.2): any
// space is U+0020, and the form is C. Case, width and space around it matter. A password
// that is not UTF-8 stays as it is.
func Password(s string) string {
	if !utf8.ValidString(s) {
		return s
	}
	return norm.NFC.String(strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Zs, r) {
			return ' '
		}
		return r
	}, s))
}
