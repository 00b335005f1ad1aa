package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"idpbridge/internal/secret"
)

// secrets are values of a request that must not appear in messages, in every encoding
// in which a service may send them back.
type secrets []string

// redactedText replaces a secret.
const redactedText = "redacted"

// isPublicMember reports whether a member of a request's body is not secret. Without
// these, messages would be of little use.
func isPublicMember(member string) bool {
	return member == "username" || member == "redirect_uri" || member == "conversationId"
}

// collectSecrets returns the secrets of a request: the strings in its body, its
// authorization and its cookies.
func collectSecrets(body []byte, header http.Header) secrets {
	var s secrets
	var members map[string]any
	if json.Unmarshal(body, &members) == nil {
		for name, member := range members {
			if value, ok := member.(string); ok && !isPublicMember(name) {
				s = s.add(value)
			}
		}
	}
	_, credentials, _ := strings.Cut(header.Get("Authorization"), " ")
	s = s.add(credentials)
	for part := range strings.SplitSeq(credentials, ",") { // OAuth 1.0
		name, value, found := strings.Cut(part, `="`)
		switch strings.TrimSpace(name) {
		case "oauth_consumer_key", "oauth_token", "oauth_signature", "oauth_nonce":
			if plain, err := url.QueryUnescape(strings.TrimSuffix(value, `"`)); found && err == nil {
				s = s.add(plain)
			}
		}
	}
	for _, cookie := range (&http.Request{Header: header}).Cookies() {
		s = s.add(cookie.Value)
	}
	return s
}

// add adds a value.
func (s secrets) add(value string) secrets {
	return append(slices.Clone(s), value)
}

// redactFrom removes the secrets from text. For a secret of fewer than four characters
// it removes everything, because the gaps would give it away.
func (s secrets) redactFrom(text string) string {
	for _, form := range secret.Encodings(s...) {
		if !strings.Contains(text, form) {
			continue
		}
		if len(form) < 4 {
			return redactedText
		}
		text = strings.ReplaceAll(text, form, redactedText)
	}
	return text
}

var secretPattern = regexp.MustCompile(`[A-Za-z0-9_+=-]{32,}`)

// sanitizeText returns the first 200 characters of a service's text, without control
// characters and without anything that looks like a token.
func sanitizeText(text string) string {
	text = replaceControls(strings.Join(strings.Fields(text), " "))
	text = secretPattern.ReplaceAllStringFunc(text, func(found string) string {
		if secret.IsWords(found) {
			return found // such as oauth_problem=consumer_key_unknown
		}
		return redactedText
	})
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}

// replaceControls replaces control characters, which could manipulate a terminal.
func replaceControls(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
