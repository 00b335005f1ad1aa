package inspect

import (
	"encoding/json"
	"slices"
	"strings"

	"idpbridge/claims"
)

// isPlaceholder reports whether a subject is one that people type while they try
// things out.
func isPlaceholder(sub string) bool {
	sequences := []string{"0123456789", "1234567890", "123456789", "12345678", "abcdefgh"}
	words := []string{
		"test", "testuser", "user", "username", "guest", "anonymous", "customer", "consumer", "demo", "sub", "subject",
		"none", "null", "undefined", "nan", "objectobject", "visitorid", "customerid", "userid", "foobar",
	}
	oneCharacter := strings.Trim(sub, sub[:1]) == ""
	return oneCharacter || slices.Contains(sequences, sub) || slices.Contains(words, lettersAndDigits(sub))
}

// inspectSubject inspects sub, which identifies the customer.
func (ins *inspector) inspectSubject(raw json.RawMessage) {
	if !isAbsent(raw) && kindOf(raw) != kindString {
		ins.addFinding("sub-type", "sub", "is "+string(kindOf(raw))+", not a string", "")
		return
	}
	sub := decodeString(raw)
	if sub == "" {
		ins.addFinding("sub-missing", "sub", "", "")
		return
	}
	guessable := claims.WhyGuessable(sub) != ""
	code := "sub-malformed"
	if guessable {
		code = "sub-phone"
		if strings.Contains(sub, "@") {
			code = "sub-email"
		}
	}
	for _, f := range claims.FieldErrors(claims.Person{Subject: sub}.Validate()) {
		ins.addFinding(code, "sub", f.Problem, "")
	}
	if !guessable {
		ins.inspectSubjectStrength(sub)
	}
	if want := ins.expected.Subject; want != "" && sub != want {
		ins.addFinding("sub-differs", "sub", "is not the sub of the identity function: "+describeDifference(sub, want), "")
	}
}

// inspectSubjectStrength warns if a subject looks constant or can be guessed.
func (ins *inspector) inspectSubjectStrength(sub string) {
	if isPlaceholder(sub) {
		ins.addFinding("sub-constant", "sub", "", "")
		return
	}
	if len(sub) < 8 {
		ins.addFinding("sub-short", "sub", "", "")
		return
	}
	if len(sub) <= 12 && strings.Trim(sub, "0123456789") == "" {
		ins.addFinding("sub-number", "sub", "", "")
	}
}
