package inspect

import (
	"encoding/json"
	"strings"
	"unicode"
)

const rs256 = "RS256"

// header inspects the header of a signed token and returns its algorithm.
func (in *inspector) header(header map[string]json.RawMessage) string {
	if header == nil {
		return ""
	}
	alg := text(header["alg"])
	in.algorithm(alg, header["alg"])
	if raw, ok := header["typ"]; ok && !strings.EqualFold(text(raw), "JWT") {
		in.add("typ-odd", "header.typ", "is "+excerpt(strings.Trim(string(raw), `"`))+", not JWT; at+jwt is an access token, which is not for LiveEngage", "")
	}
	raw, given := header["kid"]
	switch {
	case given && kindOf(raw) != "a string":
		in.add("kid-type", "header.kid", "is "+kindOf(raw)+", not a string", "")
	case text(raw) == "" && len(in.rsaKeys()) > 1:
		in.add("kid-needed", "header.kid", "", "")
	case text(raw) == "":
		in.add("kid-missing", "header.kid", "", "")
	}
	return alg
}

// algorithm says of everything but RS256 why LiveEngage does not take it.
func (in *inspector) algorithm(alg string, raw json.RawMessage) {
	const where = "header.alg"
	upper := strings.ToUpper(alg)
	has := func(prefix string) bool { return strings.HasPrefix(upper, prefix) }
	switch {
	case alg == rs256:
	case alg == "":
		in.add("alg-missing", where, "is "+kindOf(raw), "")
	case upper == "NONE":
		in.add("alg-none", where, "", "")
	case upper == rs256:
		in.add("alg-unknown", where, "is "+excerpt(alg)+"; names of algorithms have a case", "write RS256")
	case has("HS"):
		in.add("alg-secret", where, "is "+excerpt(alg)+", an HMAC: whoever can check the token can make one, and LiveEngage has only a public key", "")
	case has("ES"), has("ED"):
		in.add("alg-elliptic", where, "is "+excerpt(alg)+", an elliptic curve algorithm; LivePerson's documentation knows RSA alone", "")
	case has("PS"):
		in.add("alg-pss", where, "is "+excerpt(alg)+", RSA-PSS, which no page of LivePerson's mentions", "")
	case upper == "RS384" || upper == "RS512":
		in.add("alg-hash", where, "is "+excerpt(alg)+", RSA with a longer hash, which no page of LivePerson's mentions", "")
	default:
		in.add("alg-unknown", where, "is "+excerpt(alg)+", no algorithm that signs tokens for LiveEngage", "")
	}
}

// wordsOnly is a text in lower case without anything but letters and digits.
func wordsOnly(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, s)
}
