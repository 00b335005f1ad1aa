// Package oauth1 signs requests to LivePerson's services (RFC 5849).
package oauth1

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is the only method of LivePerson's API keys (RFC 5849 section 3.4.2)
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// Param is a parameter of an OAuth 1.0 header or body, before any encoding.
type Param struct{ Name, Value string }

// Sign is HMAC-SHA1 of the base string (RFC 5849 section 3.4.2).
func Sign(base, secret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(Escape(secret)+"&"+Escape(tokenSecret)))
	_, _ = mac.Write([]byte(base)) // never fails (hash.Hash)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// BaseString is what is signed (RFC 5849 section 3.4.1): the method, the address
// without its query, and the parameters, which are those of the query and of the
// header. The order is that of the escaped names, then of the escaped values.
func BaseString(method string, u *url.URL, params []Param) string {
	all := make([]Param, 0, len(params))
	for _, p := range params {
		all = append(all, Param{Escape(p.Name), Escape(p.Value)})
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		all = append(all, Param{Escape(decoded(name)), Escape(decoded(value))})
	}
	slices.SortFunc(all, func(a, b Param) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Value, b.Value))
	})
	pairs := make([]string, 0, len(all))
	for _, p := range all {
		pairs = append(pairs, p.Name+"="+p.Value)
	}
	return strings.ToUpper(method) + "&" + Escape(baseURI(u)) + "&" + Escape(strings.Join(pairs, "&"))
}

// baseURI is the address in lower case without the scheme's own port, query and
// fragment (RFC 5849 section 3.4.1.2).
func baseURI(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + host + cmp.Or(u.EscapedPath(), "/")
}

// decoded reads a part of a query as a form does.
func decoded(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

// Escape is the percent-encoding of RFC 5849 section 3.6: all but letters, digits
// and four marks, in upper case. url.QueryEscape writes a space as a plus.
func Escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
