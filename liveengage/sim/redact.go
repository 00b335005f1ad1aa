package sim

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// secretNames are the members and parameters whose values are cut short.
func isSecretName(name string) bool {
	switch strings.ToLower(name) {
	case "code", "code_verifier", "client_secret", "access_token", "refresh_token", "id_token", "token", "password", "ssokey", "state", "jwt", "authcode":
		return true
	}
	return false
}

// shortenSecret is as much of a secret as tells two of them apart. Of one that is short
// nothing is left.
func shortenSecret(secret string) string {
	if len(secret) < 24 {
		return "…"
	}
	return secret[:8] + "…"
}

// jwtPattern finds tokens in any text.
var jwtPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5}[A-Za-z0-9_.-]{8,}`)

func redactText(text string) string { return jwtPattern.ReplaceAllStringFunc(text, shortenSecret) }

// redactURL cuts the secrets in an address' query and fragment short.
func redactURL(address string) string {
	plain, fragment, _ := strings.Cut(address, "#")
	plain, query, has := strings.Cut(plain, "?")
	if has {
		plain += "?" + redactForm(query)
	}
	if fragment != "" {
		plain += "#" + redactForm(fragment)
	}
	return redactText(plain)
}

// redactForm cuts the secrets of a query or a form short and leaves the rest as it
// was sent.
func redactForm(text string) string {
	pairs := strings.Split(text, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); ok && (err != nil || isSecretName(plain)) {
			pairs[i] = name + "=" + shortenSecret(value)
		}
	}
	return redactText(strings.Join(pairs, "&"))
}

func redactHeader(h http.Header) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			if name == "Authorization" {
				value = redactAuthorization(value)
			}
			b.WriteString(name + ": " + redactText(value) + "\n")
		}
	}
	return b.String()
}

// redactAuthorization leaves the client's id: whoever looks for a fault needs it.
func redactAuthorization(value string) string {
	scheme, rest, _ := strings.Cut(value, " ")
	if raw, err := base64.StdEncoding.DecodeString(rest); scheme == "Basic" && err == nil {
		id, _, _ := strings.Cut(string(raw), ":")
		return "Basic base64(" + id + ":…)"
	}
	return scheme + " " + shortenSecret(rest)
}

func redactBody(kind, text string) string {
	if text == "" {
		return ""
	}
	var v any
	switch {
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		text = redactForm(text)
	case json.Unmarshal([]byte(text), &v) == nil:
		if raw, err := json.MarshalIndent(redactValue(v), "", "  "); err == nil {
			text = string(raw)
		}
	}
	text = redactText(text)
	if runes := []rune(text); len(runes) > 2000 {
		text = string(runes[:2000]) + "…"
	}
	return "\n" + text
}

func redactValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if s, ok := member.(string); ok && isSecretName(name) {
				v[name] = shortenSecret(s)
			} else if ok && name == "error_description" {
				v[name] = redactQuote(s, nil)
			} else {
				v[name] = redactValue(member)
			}
		}
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	}
	return v
}

// secretPattern is what may be a token or a secret in a sentence of somebody else's.
var secretPattern = regexp.MustCompile(`[A-Za-z0-9_~+=-]{20,}`)

// redactQuote is what an identity provider said of a request, fit for pages and logs:
// some repeat in it what they were sent.
func redactQuote(text string, secrets []string) string {
	return secretPattern.ReplaceAllStringFunc(redactText(removeSecrets(text, secrets)), func(found string) string {
		if strings.ContainsAny(found, "0123456789") || strings.ToLower(found) != found && strings.ToUpper(found) != found {
			return found[:4] + "…"
		}
		return found // a name such as unsupported_response_type
	})
}

// removeSecrets takes secrets out of a text, in each form in which it may repeat them.
func removeSecrets(text string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) < 4 {
			continue // nothing would be left of the text, and nothing is gained
		}
		asJSON, _ := json.Marshal(secret) // text can always be encoded
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(asJSON), `"`)} {
			text = strings.ReplaceAll(text, form, shortenSecret(form))
		}
	}
	return text
}
