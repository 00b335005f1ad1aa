package oidc

import (
	"net/url"
	"strconv"
	"strings"
)

// maxLogged bounds what a caller's value adds to a log line, before it is escaped.
const maxLogged = 256

// logValue returns a value that a caller chose for the log: cut, and with everything but
// printable ASCII escaped.
func logValue(s string) string {
	cut := ""
	if len(s) > maxLogged {
		s, cut = s[:maxLogged], "…"
	}
	return strings.Trim(strconv.QuoteToASCII(s), `"`) + cut
}

// logClientID is logValue for what a caller sent as client_id. It may be a secret in the
// wrong place.
func (p *Provider) logClientID(id string) string {
	for _, client := range p.clients {
		if client.matchesSecret(id) {
			return "[redacted]"
		}
	}
	return logValue(id)
}

// withoutSecrets returns a URI without user information, query and fragment, which may
// contain secrets of others.
func withoutSecrets(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		before, _, _ := strings.Cut(uri, "?")
		return before
	}
	if u.User != nil {
		u.User = url.User("redacted")
	}
	if u.RawQuery != "" {
		u.RawQuery = "redacted"
	}
	if u.Fragment != "" {
		u.Fragment = "redacted"
	}
	return u.String()
}
