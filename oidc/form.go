package oidc

import (
	"net/url"
	"slices"
	"strings"
)

// maxParameters bounds the parameters of a request.
const maxParameters = 200

// repeatable are the parameters that may occur more than once (RFC 8707 section 2, RFC 8693
// section 2.1). None of them has an effect here.
var repeatable = []string{"resource", "audience"} //nolint:gochecknoglobals // read only

// parseParameters parses a query string or form body. It also returns the names of
// parameters that occur more than once, which RFC 6749 section 3.1 forbids. A parameter
// without a value counts as omitted (sections 3.1 and 3.2).
func parseParameters(raw string) (params url.Values, repeated []string, err error) {
	if strings.Count(raw, "&") > maxParameters {
		return nil, nil, newOAuthError(invalidRequest, "The request has too many parameters.")
	}
	params = parseForm(raw)
	for name, values := range params {
		if len(values) > 1 && !slices.Contains(repeatable, name) {
			repeated = append(repeated, name)
		}
	}
	return params, repeated, nil
}

// parseForm parses form-encoded text as browsers write it: only & separates, and a % that
// begins no escape stands for itself (URL standard sections 5.1 and 1.3). It drops parameters
// without a value.
func parseForm(raw string) url.Values {
	params := url.Values{}
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" {
			name = decodeForm(name)
			params[name] = append(params[name], decodeForm(value))
		}
	}
	return params
}

// decodeForm decodes a name or a value of a form.
func decodeForm(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '+' {
			out = append(out, ' ')
			continue
		}
		if s[i] == '%' && i+2 < len(s) {
			high, low := hexDigit(s[i+1]), hexDigit(s[i+2])
			if high >= 0 && low >= 0 {
				out = append(out, byte(high<<4|low)) //nolint:gosec // two hexadecimal digits
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

// hexDigit returns the value of a hexadecimal digit, or -1.
func hexDigit(c byte) int {
	if c >= 'A' && c <= 'F' {
		c += 'a' - 'A'
	}
	return strings.IndexByte("0123456789abcdef", c)
}

// escapeNonASCII percent-encodes the bytes of a query that are not ASCII. Sealing would
// replace those that are not UTF-8.
func escapeNonASCII(query string) string {
	if !strings.ContainsFunc(query, func(r rune) bool { return r > '~' }) {
		return query
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(query) {
		if c := query[i]; c > '~' {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// The parameters that the endpoints for clients know. In the URL, where they end up in logs,
// each is an error (RFC 6749 section 2.3.1).
var (
	authParameters = []string{ //nolint:gochecknoglobals // read only
		"client_id", "client_secret", "client_assertion", "client_assertion_type", "access_token",
	}
	endpointParameters = map[string][]string{ //nolint:gochecknoglobals // read only
		PathToken:      {"grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope"},
		PathRevoke:     {"token", "token_type_hint"},
		PathIntrospect: {"token", "token_type_hint"},
		PathPAR: {
			"response_type", "redirect_uri", "scope", "state", "nonce", "response_mode", "prompt", "max_age", "id_token_hint",
			"login_hint", "code_challenge", "code_challenge_method", "claims", "acr_values", "display", "ui_locales",
			"claims_locales", "request", "request_uri", "registration",
		},
		PathPageIdentity:  {"sub"},
		PathPageToken:     {"sub", "code_challenge"},
		PathConfirmLogout: {"request"},
	}
)

// rejectKnownInQuery returns an error if the query of a request to an endpoint for clients
// has a parameter that the endpoint knows. Others are ignored, such as those that libraries
// add for their makers' statistics.
func (p *Provider) rejectKnownInQuery(path, query string) error {
	known := endpointParameters[strings.TrimPrefix(path, p.base)]
	for name := range parseForm(query) {
		if slices.Contains(authParameters, name) || slices.Contains(known, name) {
			return newOAuthError(invalidRequest, "Send parameters in the request body, not in the URL.")
		}
	}
	return nil
}
