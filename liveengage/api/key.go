package api

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"idpbridge/internal/secret"
	"idpbridge/liveengage/oauth1"
)

// Key is an API key: the four values LiveEngage shows when a key is created.
type Key struct {
	AppKey            secret.Value `json:"appKey"`
	Secret            secret.Value `json:"secret"`
	AccessToken       secret.Value `json:"accessToken"`
	AccessTokenSecret secret.Value `json:"accessTokenSecret"`
}

// ReadKey reads a key as JSON. All four values are required.
func ReadKey(r io.Reader) (Key, error) {
	var k Key
	decoder := json.NewDecoder(io.LimitReader(r, maxBody))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&k); err != nil {
		return Key{}, fmt.Errorf("the key is not JSON with appKey, secret, accessToken and accessTokenSecret: %w", err)
	}
	if !k.AppKey.IsSet() || !k.Secret.IsSet() || !k.AccessToken.IsSet() || !k.AccessTokenSecret.IsSet() {
		return Key{}, errors.New("the key needs appKey, secret, accessToken and accessTokenSecret; at least one is missing")
	}
	return k, nil
}

// AuthorizationHeader returns the OAuth 1.0 header of a request, on one line (RFC
// 5849 section 3.5.1). It signs the query parameters of the URL, but not a JSON body
// (section 3.4.1.3.1). Each request within the same second needs its own nonce. If
// the URL cannot be parsed, the header is empty.
func (k Key) AuthorizationHeader(method, address string, now time.Time, nonce string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	credentials := oauth1.Credentials{
		ConsumerKey: k.AppKey.Reveal(), ConsumerSecret: k.Secret.Reveal(),
		Token: k.AccessToken.Reveal(), TokenSecret: k.AccessTokenSecret.Reveal(),
	}
	return credentials.Authorization(method, u, now, nonce)
}

// KeyAuthorizer signs requests with an API key, each with a new nonce.
func (c *Client) KeyAuthorizer(k Key) Authorizer {
	return func(method, address string) string {
		return k.AuthorizationHeader(method, address, c.cfg.Now(), rand.Text())
	}
}
