package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"idpbridge/internal/secret"
	"idpbridge/liveengage/oauth1"
)

// Key is an API key: the four values that LiveEngage shows once it is made.
type Key struct {
	AppKey            secret.Value `json:"appKey"`
	Secret            secret.Value `json:"secret"`
	AccessToken       secret.Value `json:"accessToken"`
	AccessTokenSecret secret.Value `json:"accessTokenSecret"`
}

// ReadKey reads the four values from JSON.
func ReadKey(from io.Reader) (Key, error) {
	var k Key
	dec := json.NewDecoder(io.LimitReader(from, maxBody))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&k); err != nil {
		return Key{}, fmt.Errorf("the key is not JSON with appKey, secret, accessToken and accessTokenSecret: %w", err)
	}
	if !k.AppKey.IsSet() || !k.Secret.IsSet() || !k.AccessToken.IsSet() || !k.AccessTokenSecret.IsSet() {
		return Key{}, errors.New("the key lacks one of appKey, secret, accessToken and accessTokenSecret")
	}
	return k, nil
}

// AuthorizationHeader is the OAuth 1.0 header of a request, on one line (RFC 5849
// section 3.5.1). Query parameters of the address are signed, a JSON body is not
// (section 3.4.1.3.1). The nonce must not be used again within the second. An
// address that cannot be parsed cannot be asked either, and gives an empty header.
func (k Key) AuthorizationHeader(method, address string, now time.Time, nonce string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	params := []oauth1.Param{
		{Name: "oauth_consumer_key", Value: k.AppKey.Reveal()},
		{Name: "oauth_nonce", Value: nonce},
		{Name: "oauth_signature_method", Value: "HMAC-SHA1"},
		{Name: "oauth_timestamp", Value: strconv.FormatInt(now.Unix(), 10)},
		{Name: "oauth_token", Value: k.AccessToken.Reveal()},
		{Name: "oauth_version", Value: "1.0"},
	}
	signature := oauth1.Sign(oauth1.BaseString(method, u, params), k.Secret.Reveal(), k.AccessTokenSecret.Reveal())
	var b strings.Builder
	b.WriteString("OAuth ")
	for _, p := range append(params, oauth1.Param{Name: "oauth_signature", Value: signature}) {
		if b.Len() > len("OAuth ") {
			b.WriteString(", ")
		}
		b.WriteString(oauth1.Escape(p.Name) + `="` + oauth1.Escape(p.Value) + `"`)
	}
	return b.String()
}

// KeyAuthorizer authorizes requests with an API key, each with a nonce of its own.
func (c *Client) KeyAuthorizer(k Key) Authorizer {
	return func(method, address string) string {
		return k.AuthorizationHeader(method, address, c.cfg.Now(), rand.Text())
	}
}
