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

	"idpbridge/internal/secret"
)

// isSecretName reports whether the value of a member or parameter is secret.
func isSecretName(name string) bool {
	switch strings.ToLower(name) {
	case "code", "code_verifier", "client_secret", "access_token", "refresh_token", "id_token", "token",
		"password", "ssokey", "state", "jwt", "authcode":
		return true
	}
	return false
}

// shortenSecret returns the first characters of a secret, which is enough to tell two
// apart. A short secret becomes "…".
func shortenSecret(secret string) string {
	if len(secret) < 24 {
		return "…"
	}
	return secret[:8] + "…"
}

// jwtPattern matches tokens in text.
var jwtPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{5}[A-Za-z0-9_.-]{8,}`)

// redactText shortens tokens.
func redactText(text string) string { return jwtPattern.ReplaceAllStringFunc(text, shortenSecret) }

// redactURL shortens secrets in the query and the fragment of a URL.
func redactURL(address string) string {
	rest, fragment, _ := strings.Cut(address, "#")
	out, query, hasQuery := strings.Cut(rest, "?")
	if hasQuery {
		out += "?" + redactForm(query)
	}
	if fragment != "" {
		out += "#" + redactForm(fragment)
	}
	return redactText(out)
}

// redactForm shortens secrets in a query or a form, and keeps everything else as it was
// sent.
func redactForm(form string) string {
	pairs := strings.Split(form, "&")
	for i, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		if decoded, err := url.QueryUnescape(name); ok && (err != nil || isSecretName(decoded)) {
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

// redactAuthorization keeps the client ID, which helps to find mistakes.
func redactAuthorization(value string) string {
	scheme, credentials, _ := strings.Cut(value, " ")
	if raw, err := base64.StdEncoding.DecodeString(credentials); scheme == "Basic" && err == nil {
		id, _, _ := strings.Cut(string(raw), ":")
		return "Basic base64(" + id + ":…)"
	}
	return scheme + " " + shortenSecret(credentials)
}

// redactBody shortens secrets in a body and limits it to 2000 characters.
func redactBody(contentType, body string) string {
	if body == "" {
		return ""
	}
	var v any
	if strings.HasPrefix(contentType, "application/x-www-form-urlencoded") {
		body = redactForm(body)
	} else if json.Unmarshal([]byte(body), &v) == nil {
		if raw, err := json.MarshalIndent(redactValue(v), "", "  "); err == nil {
			body = string(raw)
		}
	}
	body = redactText(body)
	if runes := []rune(body); len(runes) > 2000 {
		body = string(runes[:2000]) + "…"
	}
	return "\n" + body
}

func redactValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			text, isString := member.(string)
			if isString && isSecretName(name) {
				v[name] = shortenSecret(text)
			} else if isString && name == "error_description" {
				v[name] = redactQuote(text, nil)
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

// secretPattern matches what may be a token or a secret in an error message.
var secretPattern = regexp.MustCompile(`[A-Za-z0-9_~+=-]{20,}`)

// redactQuote makes the text of an identity provider safe for pages and logs. Some
// providers repeat in errors what they were sent.
func redactQuote(text string, secrets []string) string {
	return secretPattern.ReplaceAllStringFunc(redactText(removeSecrets(text, secrets)), func(found string) string {
		if !secret.IsWords(found) {
			return found[:4] + "…"
		}
		return found // a name such as unsupported_response_type
	})
}

// removeSecrets shortens secrets in text, in every encoding in which it may repeat them.
func removeSecrets(text string, secrets []string) string {
	for _, plain := range secrets {
		if len(plain) < 4 {
			continue // too common in ordinary text
		}
		for _, form := range secret.Encodings(plain) {
			text = strings.ReplaceAll(text, form, shortenSecret(form))
		}
	}
	return text
}
