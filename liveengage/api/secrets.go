package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// secrets are values of a request that no message may repeat, in every spelling in
// which a service may send them back.
type secrets []string

// redactedText is what stands in the place of a secret.
const redactedText = "redacted"

// isPublicMember are the members of a request's body that are no secret: without them a
// message says less than a person needs.
func isPublicMember(member string) bool {
	return member == "username" || member == "redirect_uri" || member == "conversationId"
}

// collectSecrets are those of a request: the body's texts, what authorizes it, and its
// cookies.
func collectSecrets(body []byte, header http.Header) secrets {
	var s secrets
	var members map[string]any
	if json.Unmarshal(body, &members) == nil {
		for name, v := range members {
			if text, ok := v.(string); ok && !isPublicMember(name) {
				s = s.add(text)
			}
		}
	}
	_, credentials, _ := strings.Cut(header.Get("Authorization"), " ")
	s = s.add(credentials)
	for part := range strings.SplitSeq(credentials, ",") { // of OAuth 1.0
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

// add adds a value in its spellings: as it is, as in JSON, as in an address, and in
// base64. The longest are first, so that no half of one is left.
func (s secrets) add(value string) secrets {
	if value == "" {
		return s
	}
	all := append(slices.Clone(s), value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value)))
	for _, escapeHTML := range []bool{true, false} {
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(escapeHTML)
		_ = enc.Encode(value) // a text can always be encoded
		all = append(all, strings.Trim(strings.TrimSpace(b.String()), `"`))
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(all)
}

// redactFrom is a text without the secrets. One of fewer than four characters strikes all
// of it: the gaps would tell what was there.
func (s secrets) redactFrom(text string) string {
	for _, secret := range s {
		if secret == "" || !strings.Contains(text, secret) {
			continue
		}
		if len(secret) < 4 {
			return redactedText
		}
		text = strings.ReplaceAll(text, secret, redactedText)
	}
	return text
}

var secretPattern = regexp.MustCompile(`[A-Za-z0-9_+=-]{32,}`)

// sanitizeText is the beginning of a text without what may be a secret or steer a
// terminal.
func sanitizeText(s string) string {
	s = secretPattern.ReplaceAllString(replaceControls(strings.Join(strings.Fields(s), " ")), redactedText)
	if r := []rune(s); len(r) > 200 {
		return string(r[:200]) + "…"
	}
	return s
}

// replaceControls is a text with a mark for characters that would steer a terminal.
func replaceControls(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
