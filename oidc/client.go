package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/netaddr"
	"idpbridge/internal/secret"
	"idpbridge/keys"
)

// The client authentication methods (OIDC Core section 9).
const (
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthKey   = "private_key_jwt"
	AuthNone  = "none"
)

// Client is a relying party that the configuration names.
type Client struct {
	ID   string
	Name string // shown on pages

	// Secret is the client secret; New keeps only its hash. Without Secret and Keys it is
	// a public client, which must use PKCE (RFC 7636).
	Secret secret.Value
	// Keys are the client's public keys, for private_key_jwt (keys.ParseJWKS).
	Keys []keys.PublicKey
	// AuthMethods lists the allowed client authentication methods. Empty means
	// private_key_jwt with keys, client_secret_basic with a secret, else none.
	AuthMethods []string
	// TokenEndpointAudience also accepts client assertions whose audience is the token
	// endpoint instead of the issuer.
	TokenEndpointAudience bool
	// PushedOnly rejects authorization requests that were not pushed (RFC 9126 section 6).
	PushedOnly bool

	// ResponseModes lists the allowed response modes; empty means all.
	ResponseModes []string
	// RequirePKCE rejects code requests without a code challenge from a confidential client.
	RequirePKCE bool

	// Native marks an application on the user's device: its redirect URIs on a loopback
	// IP address may use any port (RFC 8252 section 7.3).
	Native                 bool
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	ResponseTypes          []string // in canonical order, such as "code id_token"; empty means code
	Scopes                 []string // allowed in addition to openid; offline_access allows refresh tokens

	// BackchannelLogoutURI gets a logout token at the end of every session that the client
	// used. FrontchannelLogoutURI is loaded in a frame of the page that ends a sign-out.
	// Empty means not at all.
	BackchannelLogoutURI, FrontchannelLogoutURI string

	// ServerLogout lets a logout request with an ID token of the client end the whole session
	// without the browser's cookie.
	ServerLogout bool

	// LiveEngage is the profile of LivePerson's client; nil for every other client. It also
	// adds lp_sdes to every ID token: LiveEngage requests only the scope openid.
	LiveEngage *LiveEngage
	// ClaimsInIDToken adds the claims of the granted scopes to the ID token even if an
	// access token could fetch them (OIDC Core section 5.4).
	ClaimsInIDToken bool
	// Algorithm signs its ID tokens; empty means RS256.
	Algorithm string
	// PinnedKey is the kid of the key that signs its ID tokens regardless of rotation,
	// because the public key was pasted elsewhere; empty means the active key.
	PinnedKey string
	// Encryption encrypts its signed ID tokens (OIDC Core section 10.2); nil means that
	// they are only signed.
	Encryption *keys.Encrypter

	secretHash [sha256.Size]byte
	deviations []Deviation
}

// withDefaults returns a copy with defaults filled in and the secret replaced by a hash.
func (c Client) withDefaults() *Client {
	if c.Secret.IsSet() {
		c.secretHash = sha256.Sum256([]byte(c.Secret.Reveal()))
	}
	if len(c.AuthMethods) == 0 {
		c.AuthMethods = []string{AuthNone}
		if len(c.Keys) > 0 {
			c.AuthMethods = []string{AuthKey}
		} else if c.Secret.IsSet() {
			c.AuthMethods = []string{AuthBasic}
		}
	}
	if len(c.ResponseTypes) == 0 {
		c.ResponseTypes = []string{"code"}
	}
	if c.Algorithm == "" {
		c.Algorithm = "RS256"
	}
	if c.Name == "" {
		c.Name = c.ID
	}
	if c.Secret.IsSet() {
		c.Secret = secret.New("hashed")
	}
	c.deviations = c.Deviations()
	return &c
}

// isPublic reports whether the client has nothing to authenticate with.
func (c *Client) isPublic() bool { return !c.Secret.IsSet() && len(c.Keys) == 0 }

// matchesSecret compares in constant time. A client without a secret matches nothing.
func (c *Client) matchesSecret(sent string) bool {
	got := sha256.Sum256([]byte(sent))
	return subtle.ConstantTimeCompare(got[:], c.secretHash[:]) == 1 && c.Secret.IsSet()
}

// wantsLogout reports whether the client is notified when a session ends.
func (c *Client) wantsLogout() bool {
	return c.BackchannelLogoutURI != "" || c.FrontchannelLogoutURI != ""
}

// allowsRedirectURI compares byte for byte (RFC 9700 section 4.1.3), except for the port
// of a native client's loopback address.
func (c *Client) allowsRedirectURI(uri string) bool {
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if !c.Native {
		return false
	}
	for _, registered := range c.RedirectURIs {
		if equalExceptLoopbackPort(registered, uri) {
			return true
		}
	}
	return false
}

// allowsRedirectQuery reports whether a redirect URI is registered except for the query
// that the legacy dialect adds.
func (c *Client) allowsRedirectQuery(uri string) bool {
	return c.allowsDeviation(RedirectWithQuery) && slices.Contains(c.RedirectURIs, c.LiveEngage.withoutRedirectQuery(uri))
}

// equalExceptLoopbackPort reports whether the URIs differ only in the port:
// "http://127.0.0.1/cb" allows "http://127.0.0.1:49152/cb". Names such as localhost do not
// qualify (RFC 8252 section 8.3).
func equalExceptLoopbackPort(registered, got string) bool {
	host, path, ok := splitLoopbackURI(registered)
	if !ok {
		return false
	}
	rest, ok := strings.CutPrefix(got, host+":")
	if !ok {
		return false
	}
	port, ok := strings.CutSuffix(rest, path)
	if !ok || port == "" || len(port) > 5 || port[0] == '0' {
		return false
	}
	n := 0
	for _, d := range []byte(port) {
		if d < '0' || d > '9' {
			return false
		}
		n = n*10 + int(d-'0')
	}
	return n <= 65535
}

// splitLoopbackURI cuts "http://127.0.0.1:8080/cb?x" into "http://127.0.0.1" and
// "/cb?x". It accepts only plain http on a loopback IP address.
func splitLoopbackURI(uri string) (host, rest string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil {
		return "", "", false
	}
	if !netaddr.IsLoopbackIP(u.Hostname()) {
		return "", "", false
	}
	host = "http://" + strings.TrimSuffix(u.Host, ":"+u.Port())
	return host, strings.TrimPrefix(uri, "http://"+u.Host), true
}

// Origin is the CSP source of a URL: scheme and host, or just the scheme for a private
// scheme and for an IPv6 address, which CSP has no syntax for (CSP 3 section 2.3.1).
func Origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return "'none'"
	}
	if u.Host == "" || strings.Contains(u.Host, "[") {
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
