package inspect

import (
	"encoding/json"
	"slices"
	"strings"

	"idpbridge/claims"
)

var (
	// counted are what somebody types for lack of a subject.
	counted = []string{"0123456789", "1234567890", "123456789", "12345678", "abcdefgh"}
	// placeholder are texts that stand for a subject in examples.
	placeholder = []string{
		"test", "testuser", "user", "username", "guest", "anonymous", "customer", "consumer", "demo", "sub", "subject", "none",
		"null", "undefined", "nan", "objectobject", "visitorid", "customerid", "userid", "foobar",
	}
)

// subject inspects sub, on which a customer's identity rests.
func (in *inspector) subject(raw json.RawMessage) {
	sub := text(raw)
	if kind := kindOf(raw); kind != "a string" && kind != "missing" && kind != "null" {
		in.add("sub-type", "sub", "is "+kind+", not a string", "")
		return
	}
	if sub == "" {
		in.add("sub-missing", "sub", "", "")
		return
	}
	for _, f := range claims.FieldErrors(claims.Person{Subject: sub}.Validate()) {
		code := "sub-malformed"
		switch what := claims.WhyGuessable(sub); {
		case what != "" && strings.Contains(sub, "@"):
			code = "sub-email"
		case what != "":
			code = "sub-phone"
		}
		in.add(code, "sub", f.Problem, "")
	}
	switch plain := wordsOnly(sub); {
	case claims.WhyGuessable(sub) != "":
	case strings.Trim(sub, sub[:1]) == "", slices.Contains(placeholder, plain), slices.Contains(counted, sub):
		in.add("sub-constant", "sub", "", "")
	case len(sub) < 8:
		in.add("sub-short", "sub", "", "")
	case digits(sub) && len(sub) <= 12:
		in.add("sub-number", "sub", "", "")
	}
	if want := in.x.Subject; want != "" && sub != want {
		in.add("sub-differs", "sub", "is not that of the identity function: "+difference(sub, want), "")
	}
}
