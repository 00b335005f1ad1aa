package secret

import (
	"strings"
	"unicode"
)

// maxWord is the length up to which letters are a word.
const maxWord = 20

// IsWords reports whether text consists of words, such as
// oauth_problem=consumer_key_unknown, and not of something random such as a token. Words
// are letters in lower case, in upper case, or with only the first in upper case,
// with at most 20 letters; and numbers of up to four digits, which may end a word. A
// secret that is chosen by a person may consist of words.
func IsWords(text string) bool {
	separate := func(r rune) bool { return strings.ContainsRune("_-=+~.,:;/&?%", r) }
	for part := range strings.FieldsFuncSeq(text, separate) {
		letters := strings.TrimRight(part, "0123456789")
		if len(part)-len(letters) > 4 || len(letters) > maxWord || !isWord(letters) {
			return false
		}
	}
	return true
}

// isWord reports whether text has only letters, in a case that a word has.
func isWord(text string) bool {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		return false
	}
	upper, lower := strings.ToUpper(text), strings.ToLower(text)
	return text == upper || text == lower || text[1:] == lower[1:]
}
