// Package oauth1 signs and verifies requests with OAuth 1.0 (RFC 5849), as
// LivePerson's API keys need it: HMAC-SHA1, in the Authorization header.
package oauth1

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is the only method of LivePerson's API keys (RFC 5849 section 3.4.2)
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	paramConsumerKey = "oauth_consumer_key"
	paramNonce       = "oauth_nonce"
	paramMethod      = "oauth_signature_method"
	paramSignature   = "oauth_signature"
	paramTimestamp   = "oauth_timestamp"
	paramToken       = "oauth_token" //nolint:gosec // the name of a parameter
	paramVersion     = "oauth_version"

	methodHMACSHA1 = "HMAC-SHA1"
	version1       = "1.0"
)

// Credentials are the four values of an API key.
type Credentials struct{ ConsumerKey, ConsumerSecret, Token, TokenSecret string }

// Authorization returns the Authorization header of a request, on one line (RFC 5849
// section 3.5.1). The query of the URL is signed, a JSON body is not (section
// 3.4.1.3.1). A nonce must not repeat within the same second.
func (c Credentials) Authorization(method string, u *url.URL, now time.Time, nonce string) string {
	params := []param{
		{paramConsumerKey, c.ConsumerKey},
		{paramNonce, nonce},
		{paramMethod, methodHMACSHA1},
		{paramTimestamp, strconv.FormatInt(now.Unix(), 10)},
		{paramToken, c.Token},
		{paramVersion, version1},
	}
	params = append(params, param{paramSignature, c.sign(baseString(method, u, params))})
	pairs := make([]string, 0, len(params))
	for _, p := range params {
		pairs = append(pairs, PercentEncode(p.name)+`="`+PercentEncode(p.value)+`"`)
	}
	return "OAuth " + strings.Join(pairs, ", ")
}

// PercentEncode encodes as RFC 5849 section 3.6 requires: everything except letters,
// digits, "-", ".", "_" and "~". It differs from url.QueryEscape in the space.
func PercentEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// param is a parameter of the header or the query, not encoded.
type param struct{ name, value string }

// sign returns the HMAC-SHA1 of the base string (RFC 5849 section 3.4.2).
func (c Credentials) sign(base string) string {
	mac := hmac.New(sha1.New, []byte(PercentEncode(c.ConsumerSecret)+"&"+PercentEncode(c.TokenSecret)))
	_, _ = mac.Write([]byte(base)) // never fails (hash.Hash)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// baseString returns the text that is signed: the method, the URL without its query,
// and the parameters of the query and of the header, sorted by encoded name and then
// by encoded value (RFC 5849 section 3.4.1).
func baseString(method string, u *url.URL, params []param) string {
	all := make([]param, 0, len(params))
	for _, p := range params {
		all = append(all, param{PercentEncode(p.name), PercentEncode(p.value)})
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		all = append(all, param{PercentEncode(decodeQuery(name)), PercentEncode(decodeQuery(value))})
	}
	slices.SortFunc(all, func(a, b param) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	pairs := make([]string, 0, len(all))
	for _, p := range all {
		pairs = append(pairs, p.name+"="+p.value)
	}
	return strings.ToUpper(method) + "&" + PercentEncode(baseURI(u)) + "&" + PercentEncode(strings.Join(pairs, "&"))
}

// baseURI returns the URL with scheme and host in lower case, without the default
// port, the query and the fragment (RFC 5849 section 3.4.1.2).
func baseURI(u *url.URL) string {
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if port := u.Port(); scheme == "http" && port == "80" || scheme == "https" && port == "443" {
		host = strings.TrimSuffix(host, ":"+port)
	}
	return scheme + "://" + host + cmp.Or(u.EscapedPath(), "/")
}

// decodeQuery decodes a name or a value of a query; one with a broken escape stays as
// it is.
func decodeQuery(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}
