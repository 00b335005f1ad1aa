package inspect

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
	"unicode"
)

// form finds a token within other text.
var form = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){2,4}`)

// find returns the bare token in what somebody pasted, with two, three or five
// parts, or empty after a finding that says what the text is instead.
func (in *inspector) find(pasted string) string {
	s := trim(pasted)
	if strings.HasPrefix(s, "{") {
		return in.findJSON(s)
	}
	for _, prefix := range []string{"authorization:", "bearer", "jwt"} {
		if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) && (strings.HasSuffix(prefix, ":") || unicode.IsSpace(rune(s[len(prefix)]))) {
			s = trim(s[len(prefix):])
		}
	}
	if values := parameters(s); values != nil {
		return in.findParameter(values)
	}
	if bare, ok := in.bare(s); ok {
		return bare
	}
	if bare, ok := in.bare(form.FindString(pasted)); ok {
		return bare
	}
	in.add("not-a-token", "token", notToken(s), "")
	return ""
}

// trim takes off white space, quotes and the byte order mark.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\"'`\uFEFF", r) })
}

// bare leaves white space out and reports whether the rest has a token's parts.
func (in *inspector) bare(s string) (string, bool) {
	dense := strings.Join(strings.Fields(s), "")
	dots := strings.Count(dense, ".")
	if dots != 1 && dots != 2 && dots != 4 || dots == 1 && !strings.HasPrefix(dense, "eyJ") || strings.HasPrefix(dense, ".") ||
		strings.ContainsAny(dense, "\":,;{}[]()<>") {
		return "", false
	}
	if dense != s {
		// Prose has dots as well.
		if !strings.HasPrefix(dense, "eyJ") {
			return "", false
		}
		in.add("white-space-inside", "token", "", "")
	}
	return dense, true
}

func notToken(s string) string {
	switch {
	case s == "":
		return "is empty"
	case strings.Contains(s, "PRIVATE KEY-----"):
		return "is a private key: keep it to yourself"
	case strings.HasPrefix(s, "-----BEGIN"):
		return "is a key or a certificate, not a token"
	case strings.Contains(s, "."):
		return "has " + count(strings.Count(s, ".")+1) + " parts; a token has three with dots between, or five if encrypted"
	}
	return "has no dots: it may be a code or an opaque access token; a token has three parts with dots between, or five if encrypted"
}

// findJSON takes the token from a token endpoint's answer.
func (in *inspector) findJSON(s string) string {
	var answer map[string]json.RawMessage
	if json.NewDecoder(strings.NewReader(s)).Decode(&answer) != nil {
		if bare, ok := in.bare(form.FindString(s)); ok {
			return bare
		}
		in.add("not-a-token", "token", "starts like JSON and is none", "")
		return ""
	}
	for _, name := range []string{"id_token", "token", "jwt"} {
		if value := trim(text(answer[name])); value != "" {
			if bare, ok := in.bare(value); ok {
				return bare
			}
			in.add("not-a-token", name, notToken(value), "")
			return ""
		}
	}
	switch {
	case answer["error"] != nil:
		in.add("error-answer", "token", "is an error answer: "+excerpt(string(answer["error"])), "")
	case answer["ssoKey"] != nil || answer["code"] != nil:
		in.add("code-not-token", "token", "", "")
	case answer["iss"] != nil && answer["sub"] != nil && answer["exp"] == nil:
		in.add("identity-object", "token", "", "")
	case answer["iss"] != nil || answer["sub"] != nil:
		in.add("not-a-token", "token", "is the claims alone, without header and signature", "hand over the whole token")
	default:
		in.add("not-a-token", "token", "is JSON without id_token", "ask for the scope openid; without it a token endpoint gives no id_token")
	}
	return ""
}

// parameters are those of an address or of a piece of one; nil where the text
// is none.
func parameters(s string) url.Values {
	rest, fragment, _ := strings.Cut(s, "#")
	before, query, ok := strings.Cut(rest, "?")
	if !ok && !strings.Contains(before, "://") {
		query = before
	}
	// What is broken in a query is left out; the rest is worth having.
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

// findParameter takes the token from a redirect: LiveEngage's window accepts it
// as code, token or id_token, in the query or the fragment.
func (in *inspector) findParameter(values url.Values) string {
	for _, name := range []string{"id_token", "token", "code"} {
		value := trim(values.Get(name))
		if value == "" {
			continue
		}
		if bare, ok := in.bare(value); ok {
			return bare
		}
		if name == "code" {
			in.add("code-not-token", "code", "", "")
		} else {
			in.add("not-a-token", name, notToken(value), "")
		}
		return ""
	}
	if values.Has("error") {
		in.add("error-answer", "token", "is an error answer: "+excerpt(values.Get("error")), "")
		return ""
	}
	in.add("not-a-token", "token", "is an address without id_token, token or code", "")
	return ""
}
