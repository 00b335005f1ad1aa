package inspect

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// tokenPattern finds a token within other text.
var tokenPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}`)

// findToken returns the token in a pasted text, with two, three or five parts. If
// there is none, it adds a finding that says what the text is instead and returns "".
func (ins *inspector) findToken(pasted string) string {
	s := trimQuotes(pasted)
	if strings.HasPrefix(s, "{") {
		return ins.findInJSON(s)
	}
	for _, prefix := range []string{"authorization:", "bearer", "jwt"} {
		s = trimPrefix(s, prefix)
	}
	if parameters := parseParameters(s); parameters != nil {
		return ins.findInParameters(parameters)
	}
	if token, ok := ins.joinToken(s); ok {
		return token
	}
	if token, ok := ins.joinToken(tokenPattern.FindString(pasted)); ok {
		return token
	}
	ins.addFinding("not-a-token", "token", describeText(s), "")
	return ""
}

// trimQuotes removes white space, quotes and the byte order mark around a text.
func trimQuotes(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`\uFEFF", r) })
}

// trimPrefix removes a prefix in any case. White space must follow, unless the prefix
// ends with a colon.
func trimPrefix(s, prefix string) string {
	if len(s) <= len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s
	}
	rest := s[len(prefix):]
	if !strings.HasSuffix(prefix, ":") && !unicode.IsSpace(rune(rest[0])) {
		return s
	}
	return trimQuotes(rest)
}

// joinToken removes white space inside a token. It reports whether the result has the
// parts of one.
func (ins *inspector) joinToken(s string) (string, bool) {
	joined := strings.Join(strings.Fields(s), "")
	if !hasTokenParts(joined) {
		return "", false
	}
	if joined != s {
		if !strings.HasPrefix(joined, "eyJ") {
			return "", false // prose has dots too
		}
		ins.addFinding("white-space-inside", "token", "", "")
	}
	return joined, true
}

// hasTokenParts reports whether a text without white space has the parts of a token:
// three, five, or two if it starts like a token.
func hasTokenParts(s string) bool {
	if strings.HasPrefix(s, ".") || strings.ContainsAny(s, "\":,;{}[]()<>") {
		return false
	}
	dots := strings.Count(s, ".")
	return dots == 2 || dots == 4 || dots == 1 && strings.HasPrefix(s, "eyJ")
}

// describeText says what a text is that is not a token.
func describeText(s string) string {
	if s == "" {
		return "is empty"
	}
	if strings.Contains(s, "PRIVATE KEY-----") {
		return "is a private key: do not share it"
	}
	if strings.HasPrefix(s, "-----BEGIN") {
		return "is a key or a certificate, not a token"
	}
	const want = "a token has three parts separated by dots, or five if it is encrypted"
	if dots := strings.Count(s, "."); dots > 0 {
		return fmt.Sprintf("has %d parts; %s", dots+1, want)
	}
	return "has no dots, so it may be a code or an opaque access token; " + want
}

// findInJSON finds the token in the response of a token endpoint.
func (ins *inspector) findInJSON(s string) string {
	var response map[string]json.RawMessage
	if json.NewDecoder(strings.NewReader(s)).Decode(&response) != nil {
		if token, ok := ins.joinToken(tokenPattern.FindString(s)); ok {
			return token
		}
		ins.addFinding("not-a-token", "token", "begins like JSON but is not valid JSON", "")
		return ""
	}
	for _, name := range []string{"id_token", "token", "jwt"} {
		if value := trimQuotes(decodeString(response[name])); value != "" {
			if token, ok := ins.joinToken(value); ok {
				return token
			}
			ins.addFinding("not-a-token", name, describeText(value), "")
			return ""
		}
	}
	ins.reportOtherJSON(response)
	return ""
}

// reportOtherJSON says what a JSON object is that has no token.
func (ins *inspector) reportOtherJSON(object map[string]json.RawMessage) {
	has := func(name string) bool { return object[name] != nil }
	if has("error") {
		ins.addFinding("error-answer", "token", "is an error response: "+quoteExcerpt(string(object["error"])), "")
		return
	}
	if has("ssoKey") || has("code") {
		ins.addFinding("code-not-token", "token", "", "")
		return
	}
	if has("iss") && has("sub") && !has("exp") {
		ins.addFinding("identity-object", "token", "", "")
		return
	}
	if has("iss") || has("sub") {
		ins.addFinding("not-a-token", "token", "is only the claims, without header and signature", "pass the whole token")
		return
	}
	ins.addFinding("not-a-token", "token", "is JSON without id_token",
		"request the scope openid; without it, a token endpoint returns no id_token")
}

// parseParameters returns the parameters of a URL, of its query or of its fragment. It
// returns nil if the text is none of them.
func parseParameters(s string) url.Values {
	rest, fragment, _ := strings.Cut(s, "#")
	before, query, ok := strings.Cut(rest, "?")
	if !ok && !strings.Contains(before, "://") {
		query = before
	}
	// ParseQuery skips what is malformed; the rest is still useful.
	values, _ := url.ParseQuery(query)
	more, _ := url.ParseQuery(fragment)
	for name, v := range more {
		values[name] = append(values[name], v...)
	}
	for _, name := range []string{"id_token", "token", "code", "error", "state"} {
		if values.Has(name) {
			return values
		}
	}
	if strings.Contains(s, "://") && !strings.Contains(s, ".eyJ") {
		return url.Values{}
	}
	return nil
}

// findInParameters finds the token in a redirect. LiveEngage's window accepts it as
// code, token or id_token, in the query or the fragment.
func (ins *inspector) findInParameters(values url.Values) string {
	for _, name := range []string{"id_token", "token", "code"} {
		value := trimQuotes(values.Get(name))
		if value == "" {
			continue
		}
		if token, ok := ins.joinToken(value); ok {
			return token
		}
		if name == "code" {
			ins.addFinding("code-not-token", "code", "", "")
		} else {
			ins.addFinding("not-a-token", name, describeText(value), "")
		}
		return ""
	}
	if values.Has("error") {
		ins.addFinding("error-answer", "token", "is an error response: "+quoteExcerpt(values.Get("error")), "")
		return ""
	}
	ins.addFinding("not-a-token", "token", "is a URL without id_token, token or code", "")
	return ""
}
