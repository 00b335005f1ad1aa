package api

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // HMAC-SHA1 is the method that LivePerson's API keys have
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Key is an API key: the four values that LiveEngage shows once it is made.
type Key struct {
	AppKey            string `json:"appKey"`
	Secret            string `json:"secret"`
	AccessToken       string `json:"accessToken"`
	AccessTokenSecret string `json:"accessTokenSecret"`
}

// ReadKey reads the four values from JSON.
func ReadKey(from io.Reader) (Key, error) {
	var k Key
	dec := json.NewDecoder(io.LimitReader(from, mostBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil {
		return Key{}, fmt.Errorf("the key is not JSON with appKey, secret, accessToken and accessTokenSecret: %w", err)
	}
	if k.AppKey == "" || k.Secret == "" || k.AccessToken == "" || k.AccessTokenSecret == "" {
		return Key{}, errors.New("the key lacks one of appKey, secret, accessToken and accessTokenSecret")
	}
	return k, nil
}

// LogValue keeps the key out of logs.
func (Key) LogValue() slog.Value { return slog.StringValue("redacted") }

// String keeps the key out of messages.
func (Key) String() string { return "redacted" }

// Authorization is the OAuth 1.0 header of a request, on one line (RFC 5849
// section 3.5.1). Query parameters of the address are signed, a JSON body is not
// (section 3.4.1.3.1). The nonce must not be used again within the second. An
// address that cannot be parsed cannot be asked either, and gives an empty header.
func (k Key) Authorization(method, address string, now time.Time, nonce string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	params := []parameter{
		{"oauth_consumer_key", k.AppKey},
		{"oauth_nonce", nonce},
		{"oauth_signature_method", "HMAC-SHA1"},
		{"oauth_timestamp", strconv.FormatInt(now.Unix(), 10)},
		{"oauth_token", k.AccessToken},
		{"oauth_version", "1.0"},
	}
	signature := signature(baseString(method, u, params), k.Secret, k.AccessTokenSecret)
	var b strings.Builder
	b.WriteString("OAuth ")
	for _, p := range append(params, parameter{"oauth_signature", signature}) {
		if b.Len() > len("OAuth ") {
			b.WriteString(", ")
		}
		b.WriteString(escaped(p.name) + `="` + escaped(p.value) + `"`)
	}
	return b.String()
}

// Signed authorizes requests with an API key, each with a nonce of its own.
func (c *Client) Signed(k Key) Authorization {
	return func(method, address string) string { return k.Authorization(method, address, c.cfg.Now(), rand.Text()) }
}

type parameter struct{ name, value string }

// signature is HMAC-SHA1 of the base string (RFC 5849 section 3.4.2).
func signature(base, secret, tokenSecret string) string {
	mac := hmac.New(sha1.New, []byte(escaped(secret)+"&"+escaped(tokenSecret)))
	_, _ = mac.Write([]byte(base)) // never fails (hash.Hash)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// baseString is what is signed (RFC 5849 section 3.4.1): the method, the address
// without its query, and the parameters, which are those of the query and of the
// header. The order is that of the escaped names, then of the escaped values.
func baseString(method string, u *url.URL, params []parameter) string {
	all := make([]parameter, 0, len(params))
	for _, p := range params {
		all = append(all, parameter{escaped(p.name), escaped(p.value)})
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		all = append(all, parameter{escaped(unescaped(name)), escaped(unescaped(value))})
	}
	slices.SortFunc(all, func(a, b parameter) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.value, b.value))
	})
	pairs := make([]string, 0, len(all))
	for _, p := range all {
		pairs = append(pairs, p.name+"="+p.value)
	}
	return strings.ToUpper(method) + "&" + escaped(baseURI(u)) + "&" + escaped(strings.Join(pairs, "&"))
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

// unescaped reads a part of a query as a form does.
func unescaped(s string) string {
	if out, err := url.QueryUnescape(s); err == nil {
		return out
	}
	return s
}

// escaped is the percent-encoding of RFC 5849 section 3.6: all but letters, digits
// and four marks, in upper case. url.QueryEscape writes a space as a plus.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
