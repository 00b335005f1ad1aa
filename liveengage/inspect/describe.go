package inspect

import (
	"fmt"
	"strings"
)

// describeDifference says how two texts differ that should be equal.
func describeDifference(got, want string) string {
	if strings.TrimSpace(got) == want {
		return "it has white space around it"
	}
	if got == want+"/" {
		return "it has a slash at the end"
	}
	if got+"/" == want {
		return "the slash at the end is missing"
	}
	n := commonPrefixLength(got, want)
	if strings.EqualFold(got, want) {
		return fmt.Sprintf("upper and lower case differ, first at character %d", n+1)
	}
	gotRest, wantRest := []rune(got)[n:], []rune(want)[n:]
	if len(gotRest) == 0 {
		return fmt.Sprintf("it ends after character %d", n)
	}
	if len(wantRest) == 0 {
		return fmt.Sprintf("it continues after character %d", n)
	}
	return fmt.Sprintf("the first difference is character %d, %s instead of %s",
		n+1, quoteExcerpt(string(gotRest[0])), quoteExcerpt(string(wantRest[0])))
}

// commonPrefixLength returns how many characters two texts have in common at the
// beginning.
func commonPrefixLength(a, b string) int {
	x, y := []rune(a), []rune(b)
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n
}
