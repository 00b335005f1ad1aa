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

// The ways in which a client may authenticate at the token endpoint
// (OIDC Core section 9).
const (
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthKey   = "private_key_jwt"
	AuthNone  = "none"
)

// Client is a relying party that the configuration names.
type Client struct {
	ID   string
	Name string // what people call it; shown on pages

	// Secret is the client's secret; New keeps only its hash. Without Secret and
	// Keys it is a public client, which must use PKCE (RFC 7636).
	Secret secret.Value
	// Keys are the client's public keys, for private_key_jwt (keys.ParseJWKS).
	Keys []keys.PublicKey
	// AuthMethods lists the client authentication methods that it may use; empty
	// means private_key_jwt with keys, client_secret_basic with a secret, else none.
	AuthMethods []string
	// PushedOnly refuses authorization requests that were not pushed (RFC 9126
	// section 6).
	PushedOnly bool

	// Native marks an application on a person's device: a redirect URI that is
	// registered on a loopback IP address may then come with any port
	// (RFC 8252 section 7.3).
	Native                 bool
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	ResponseTypes          []string // in canonical order, such as "code id_token"; empty means code
	Scopes                 []string // what it may ask for beside openid; offline_access allows refresh tokens

	// BackchannelLogoutURI is told of the end of every session that the client was
	// answered from, FrontchannelLogoutURI is loaded in a frame of the page that
	// ends a sign-out. Empty means not at all.
	BackchannelLogoutURI, FrontchannelLogoutURI string

	// LiveEngage is the profile of the client that LivePerson is; nil for every
	// other. It also puts lp_sdes into the ID tokens whether asked for or not:
	// LiveEngage asks for the scope openid alone.
	LiveEngage *LiveEngage
	// ClaimsInIDToken puts the claims of the granted scopes into the ID token
	// even where an access token could fetch them (OIDC Core section 5.4).
	ClaimsInIDToken bool
	// Algorithm signs its ID tokens; empty means RS256.
	Algorithm string
	// PinnedKey is the kid of the key that signs for it whatever rotation does,
	// because its public half was pasted elsewhere; empty means the active key.
	PinnedKey string
	// Encryption encrypts its signed ID tokens (OIDC Core section 10.2); nil means
	// that they are signed alone.
	Encryption *keys.Encrypter
	// RedirectsOnTo lists further origins that its redirect URIs lead to, for
	// the form-action of the sign-in page's Content-Security-Policy.
	RedirectsOnTo []string

	secretHash [sha256.Size]byte
	deviations []Deviation
}

// withDefaults returns the client with its defaults filled in and its secret
// replaced by a hash.
func (c Client) withDefaults() *Client {
	if c.Secret.IsSet() {
		c.secretHash = sha256.Sum256([]byte(c.Secret.Reveal()))
	}
	if len(c.AuthMethods) == 0 {
		switch {
		case len(c.Keys) > 0:
			c.AuthMethods = []string{AuthKey}
		case c.Secret.IsSet():
			c.AuthMethods = []string{AuthBasic}
		default:
			c.AuthMethods = []string{AuthNone}
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

// isPublic says whether the client has nothing to authenticate with.
func (client *Client) isPublic() bool { return !client.Secret.IsSet() && len(client.Keys) == 0 }

// matchesSecret compares in constant time. A client without a secret matches
// nothing.
func (client *Client) matchesSecret(sent string) bool {
	got := sha256.Sum256([]byte(sent))
	return subtle.ConstantTimeCompare(got[:], client.secretHash[:]) == 1 && client.Secret.IsSet()
}

// wantsLogout says whether the client wants to be told when a session ends.
func (client *Client) wantsLogout() bool {
	return client.BackchannelLogoutURI != "" || client.FrontchannelLogoutURI != ""
}

// allowsRedirectURI compares plainly, byte for byte (RFC 9700 section 4.1.3),
// but for the port of a native client's loopback address.
func (client *Client) allowsRedirectURI(uri string) bool {
	if slices.Contains(client.RedirectURIs, uri) {
		return true
	}
	if !client.Native {
		return false
	}
	for _, registered := range client.RedirectURIs {
		if equalExceptLoopbackPort(registered, uri) {
			return true
		}
	}
	return false
}

// allowsRedirectQuery says whether a redirect URI is registered but for the query
// of the legacy dialect.
func (client *Client) allowsRedirectQuery(uri string) bool {
	return client.allowsDeviation(RedirectWithQuery) && slices.Contains(client.RedirectURIs, client.LiveEngage.withoutRedirectQuery(uri))
}

// equalExceptLoopbackPort says whether got is registered with a port of its own:
// "http://127.0.0.1/cb" allows "http://127.0.0.1:49152/cb". Names such as
// localhost do not qualify (RFC 8252 section 8.3).
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
// "/cb?x". It refuses whatever is not plain http on a loopback IP address.
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

// formActionOrigins lists the origins that a page's form may lead to on its way back
// to this client: browsers check redirects after a form against form-action.
func (client *Client) formActionOrigins(redirectURI string) []string {
	return append([]string{Origin(redirectURI)}, client.RedirectsOnTo...)
}

// Origin is the CSP source of an address: scheme and host, or the scheme alone
// of a native application's own scheme.
func Origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return "'none'"
	}
	if u.Host == "" {
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}
