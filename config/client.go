package config

import (
	"fmt"
	"slices"
	"strings"

	"idpbridge/internal/secret"
	"idpbridge/keys"
	"idpbridge/oidc"
)

const (
	typeWeb           = "web"
	typeNative        = "native"
	profileLiveEngage = "liveengage"
)

// shortestSecret is the least number of characters in a client's secret: half of
// what openssl rand -hex 32 prints.
const shortestSecret = 32

// scopeOfflineAccess allows refresh tokens, which outlive the session. Only clients
// that list it in the file may ask for it (OIDC Core section 11).
const scopeOfflineAccess = "offline_access"

func defaultScopes() []string {
	return []string{"openid", "profile", "email", "address", "phone", oidc.ScopeSDEs}
}

func responseTypes() []string {
	return []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
}

// Client is a relying party.
type Client struct {
	// ID is the client_id: printable ASCII without spaces.
	ID string `yaml:"id"`
	// Name is shown to people. It defaults to ID.
	Name string `yaml:"name"`
	// Secret has at least 32 characters. A client with neither Secret nor JWKS is
	// public, and must use PKCE (RFC 7636).
	Secret secret.Value `yaml:"secret"`
	// Type is web, the default, or native.
	Type string `yaml:"application_type"`
	// AuthMethods are the methods that the client may use at the token endpoint (OIDC
	// Core section 9): client_secret_basic, client_secret_post or both,
	// private_key_jwt, or none. The default is client_secret_basic with a secret,
	// private_key_jwt with JWKS, and otherwise none.
	AuthMethods oneOrMore `yaml:"token_endpoint_auth_method"`
	// TokenEndpointAudience also accepts the token endpoint as the audience of client
	// assertions.
	TokenEndpointAudience bool `yaml:"token_endpoint_audience"`
	// JWKS is the JSON Web Key Set of the client's public keys, for private_key_jwt.
	JWKS secret.Value `yaml:"jwks"`
	// PushedOnly rejects authorization requests that were not pushed (RFC 9126).
	PushedOnly bool `yaml:"require_pushed_authorization_requests"`
	// RedirectURIs and PostLogoutRedirectURIs are compared byte for byte (RFC 9700
	// section 4.1.3). RedirectURIs is never empty.
	RedirectURIs           []string `yaml:"redirect_uris"`
	PostLogoutRedirectURIs []string `yaml:"post_logout_redirect_uris"`
	// BackchannelLogoutURI and FrontchannelLogoutURI are called when a session ends.
	// They are https, or http on loopback, and may be empty.
	BackchannelLogoutURI  string `yaml:"backchannel_logout_uri"`
	FrontchannelLogoutURI string `yaml:"frontchannel_logout_uri"`
	// ServerLogout lets a logout request with an ID token of the client end the session
	// without the browser's cookie. It is for confidential clients without a profile.
	ServerLogout bool `yaml:"server_logout"`
	// ResponseTypes has values of responseTypes. The default is code.
	ResponseTypes []string `yaml:"response_types"`
	// ResponseModes are those that the client may use: query, fragment and form_post.
	// Empty means all.
	ResponseModes []string `yaml:"response_modes"`
	// RequirePKCE rejects code requests without a code challenge, as is always the case for
	// public clients.
	RequirePKCE bool `yaml:"require_pkce"`
	// Scopes are those that the client may ask for. The default is all of them but
	// offline_access.
	Scopes []string `yaml:"scopes"`
	// Profile is empty or liveengage. The latter always gets lp_sdes and the claims in
	// the ID token, and may deviate from the protocol as LiveEngage says.
	Profile string `yaml:"profile"`
	// LiveEngage has the settings of the profile liveengage. It is nil if and only if
	// Profile is empty.
	LiveEngage *LiveEngage `yaml:"liveengage"`
	// ClaimsInIDToken puts the claims of the granted scopes into the ID token even if
	// an access token could fetch them. It is true for the profile liveengage.
	ClaimsInIDToken bool `yaml:"claims_in_id_token"`
	// Algorithm signs the client's ID tokens: RS256, the default, or ES256.
	Algorithm string `yaml:"id_token_signed_response_alg"`
	// PinnedKey is the kid of the key that always signs for the client, because its
	// public key is pasted elsewhere. Empty means the active key.
	PinnedKey string `yaml:"pinned_key"`
	// Encryption encrypts the client's ID tokens. It may be nil.
	Encryption *Encryption `yaml:"id_token_encryption"`
	// RedirectsOnTo has no effect since the pages let clients redirect anywhere. It is
	// accepted, so that older files still work.
	RedirectsOnTo []string `yaml:"redirects_on_to"`
}

// Build returns the client in the form that package oidc uses. The client must come
// from Load or Parse.
func (c Client) Build() (oidc.Client, error) {
	out := oidc.Client{
		ID:                     c.ID,
		Name:                   c.Name,
		Secret:                 c.Secret,
		AuthMethods:            c.AuthMethods,
		TokenEndpointAudience:  c.TokenEndpointAudience,
		ResponseModes:          c.ResponseModes,
		RequirePKCE:            c.RequirePKCE,
		ServerLogout:           c.ServerLogout,
		PushedOnly:             c.PushedOnly,
		Native:                 c.Type == typeNative,
		RedirectURIs:           c.RedirectURIs,
		PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		ResponseTypes:          c.ResponseTypes,
		Scopes:                 c.Scopes,
		BackchannelLogoutURI:   c.BackchannelLogoutURI,
		FrontchannelLogoutURI:  c.FrontchannelLogoutURI,
		LiveEngage:             c.LiveEngage.build(),
		ClaimsInIDToken:        c.ClaimsInIDToken,
		Algorithm:              c.Algorithm,
		PinnedKey:              c.PinnedKey,
	}
	var err error
	if c.JWKS.IsSet() {
		if out.Keys, err = keys.ParseJWKS(c.JWKS.Reveal()); err != nil {
			return oidc.Client{}, fmt.Errorf("client %q: %w", c.ID, err)
		}
	}
	if c.Encryption != nil {
		if out.Encryption, err = c.Encryption.parse(); err != nil {
			return oidc.Client{}, fmt.Errorf("client %q: %w", c.ID, err)
		}
	}
	return out, nil
}

// setDefault sets a string that is empty.
func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// fillDefaults sets what the file leaves out. A secret or a key set counts if the
// file names it, even if it cannot be read, so that this is not reported twice.
func (c *Client) fillDefaults(hasSecret, hasKeys bool) {
	setDefault(&c.Name, c.ID)
	setDefault(&c.Type, typeWeb)
	setDefault(&c.Algorithm, "RS256")
	c.AuthMethods = c.authMethodsOrDefault(hasSecret, hasKeys)
	if len(c.ResponseTypes) == 0 {
		c.ResponseTypes = []string{"code"}
	}
	if len(c.Scopes) == 0 {
		c.Scopes = defaultScopes()
	}
	if c.Profile != profileLiveEngage {
		return
	}
	if c.LiveEngage == nil {
		c.LiveEngage = &LiveEngage{}
	}
	c.LiveEngage.fillDefaults(slices.Contains(c.ResponseTypes, "code"))
	c.ClaimsInIDToken = true
	if !slices.Contains(c.Scopes, oidc.ScopeSDEs) {
		c.Scopes = append(c.Scopes, oidc.ScopeSDEs)
	}
}

// authAny is short for both methods with a secret. It never includes a stronger method.
const authAny = "any"

// authMethodsOrDefault returns the authentication methods that the file means. The client of
// LiveEngage may send its secret either way.
func (c *Client) authMethodsOrDefault(hasSecret, hasKeys bool) oneOrMore {
	either := oneOrMore{oidc.AuthBasic, oidc.AuthPost}
	if slices.Equal(c.AuthMethods, oneOrMore{authAny}) {
		return either
	}
	if len(c.AuthMethods) > 0 {
		return c.AuthMethods
	}
	if hasSecret && c.Profile == profileLiveEngage {
		return either
	}
	if hasKeys {
		return oneOrMore{oidc.AuthKey}
	}
	if hasSecret {
		return oneOrMore{oidc.AuthBasic}
	}
	return oneOrMore{oidc.AuthNone}
}

// validateClients fills in the defaults of all clients and checks them.
func (d *decoder) validateClients(clients []Client, issuer string) {
	if len(clients) == 0 {
		d.addProblem("clients", "clients is missing; list at least one client")
	}
	seen := map[string]bool{}
	for i := range clients {
		c, path := &clients[i], fmt.Sprintf("clients[%d]", i)
		if c.ID != "" && seen[c.ID] {
			d.addProblem(path+".id", "another client already has this id")
		}
		seen[c.ID] = true
		c.fillDefaults(d.isSet(path+".secret"), d.isSet(path+".jwks"))
		d.validateClient(path, *c)
		d.validateAuthMethod(path, *c)
		d.validateURIs(path, *c)
		d.validateLiveEngage(path, *c, issuer)
		d.validateEncryption(path, c.Encryption)
	}
}

// validateClient checks a client but for its credentials, URIs and profile.
func (d *decoder) validateClient(path string, c Client) {
	isUnprintable := func(r rune) bool { return r <= ' ' || r > '~' }
	d.requireValue(path+".id", c.ID, "set it to the client_id")
	if strings.ContainsFunc(c.ID, isUnprintable) {
		d.addProblem(path+".id", "id has spaces or non-ASCII characters; use letters, digits, - and _")
	}
	d.requireOneOf(path+".application_type", "application_type", c.Type, typeWeb, typeNative)
	d.requireOneOf(path+".id_token_signed_response_alg", "id_token_signed_response_alg", c.Algorithm, "RS256", "ES256")
	for _, method := range c.AuthMethods {
		d.requireOneOf(path+".token_endpoint_auth_method", "token_endpoint_auth_method", method,
			oidc.AuthBasic, oidc.AuthPost, oidc.AuthKey, oidc.AuthNone, authAny)
	}
	for i, mode := range c.ResponseModes {
		d.requireOneOf(fmt.Sprintf("%s.response_modes[%d]", path, i), "response mode", mode, "query", "fragment", "form_post")
	}
	if c.Profile != "" {
		d.requireOneOf(path+".profile", "profile", c.Profile, profileLiveEngage)
	}
	for i, t := range c.ResponseTypes {
		d.requireOneOf(fmt.Sprintf("%s.response_types[%d]", path, i), "response type", t, responseTypes()...)
	}
	for i, s := range c.Scopes {
		d.requireOneOf(fmt.Sprintf("%s.scopes[%d]", path, i), "scope", s, append(defaultScopes(), scopeOfflineAccess)...)
	}
	if d.isSet(path+".scopes") && !slices.Contains(c.Scopes, "openid") {
		d.addProblem(path+".scopes", "scopes lacks openid, which every sign-in needs; add it (OIDC Core section 3.1.2.1)")
	}
	if c.ServerLogout && c.Profile == profileLiveEngage {
		d.addProblem(path+".server_logout",
			"server_logout is not for the profile liveengage: everyone in a chat has its ID token; remove it")
	} else if c.ServerLogout && slices.Contains(c.AuthMethods, oidc.AuthNone) {
		d.addProblem(path+".server_logout", "server_logout needs a client with a secret or jwks; remove it")
	}
	if c.Profile == profileLiveEngage && c.Algorithm == "ES256" {
		d.addProblem(path+".id_token_signed_response_alg",
			"LiveEngage accepts RS256 only; remove id_token_signed_response_alg")
	}
}

// validateAuthMethod checks that a client has the credentials that its
// authentication method needs, and no others.
func (d *decoder) validateAuthMethod(path string, c Client) {
	if c.Secret.IsSet() && len(c.Secret.Reveal()) < shortestSecret {
		d.addProblem(path+".secret", "secret has fewer than %d characters; generate one with: openssl rand -hex 32",
			shortestSecret)
	} else if problem := checkClientSecret(c.Secret.Reveal()); problem != "" {
		d.addProblem(path+".secret", "%s", problem)
	} else if key, problem := c.findAuthProblem(d.isSet(path+".secret"), d.isSet(path+".jwks")); problem != "" {
		d.addProblem(path+"."+key, "%s", problem)
	}
	if c.JWKS.IsSet() {
		if _, err := keys.ParseJWKS(c.JWKS.Reveal()); err != nil {
			d.addProblem(path+".jwks", "jwks: %s", err)
		}
	}
}

// findAuthProblem returns what is wrong with the combination of authentication
// methods, secret and key set, and the key in the file to report it at.
func (c Client) findAuthProblem(hasSecret, hasKeys bool) (key, problem string) {
	const method = "token_endpoint_auth_method"
	uses := func(names ...string) bool {
		return slices.ContainsFunc(c.AuthMethods, func(m string) bool { return slices.Contains(names, m) })
	}
	if hasSecret && hasKeys {
		return "jwks", "secret and jwks are both set; remove one of them"
	}
	if len(c.AuthMethods) > 1 && uses(oidc.AuthKey, oidc.AuthNone) {
		return method, method + " combines private_key_jwt or none with another method; only client_secret_basic and " +
			"client_secret_post can be combined"
	}
	if uses(oidc.AuthNone) && (hasSecret || hasKeys) {
		return method, method + " is none, but secret or jwks is set; remove one of them"
	}
	if !hasSecret && uses(oidc.AuthBasic, oidc.AuthPost) {
		return method, method + " is " + c.AuthMethods[0] + ", but secret is not set; add secret: {env: NAME}, or use none"
	}
	if !hasKeys && uses(oidc.AuthKey) {
		return method, method + " is private_key_jwt, but jwks is not set; add jwks: {file: client.jwks.json}"
	}
	if hasKeys && !uses(oidc.AuthKey) {
		return method, method + " is " + shorten(c.AuthMethods[0]) + ", but jwks is set; use private_key_jwt"
	}
	if c.TokenEndpointAudience && !hasKeys {
		return "token_endpoint_audience", "token_endpoint_audience is for private_key_jwt, but jwks is not set; remove it"
	}
	usesCode := slices.ContainsFunc(c.ResponseTypes, func(t string) bool { return strings.Contains(t, "code") })
	if c.Profile == profileLiveEngage && usesCode && !hasSecret && !hasKeys {
		return "profile", "profile liveengage needs a secret for the code flow; " +
			"add secret: {env: NAME}, or use response_types: [id_token]"
	}
	return "", ""
}

// validateURIs checks every URI and origin of a client.
func (d *decoder) validateURIs(path string, c Client) {
	if len(c.RedirectURIs) == 0 {
		d.addProblem(path+".redirect_uris", "redirect_uris is missing; list at least one URL")
	}
	check := func(uri string) error { return checkRedirectURI(uri, c.Type) }
	checkOwn := func(uri string) error { return checkClientRedirectURI(uri, c.Type) }
	d.validateList(path, "redirect_uris", c.RedirectURIs, checkOwn)
	d.validateList(path, "post_logout_redirect_uris", c.PostLogoutRedirectURIs, check)
	for key, uri := range map[string]string{
		"backchannel_logout_uri":  c.BackchannelLogoutURI,
		"frontchannel_logout_uri": c.FrontchannelLogoutURI,
	} {
		if uri == "" && !d.isSet(path+"."+key) {
			continue
		}
		if err := checkLogoutURI(uri); err != nil {
			d.addProblem(path+"."+key, "%s", err)
		}
	}
}

// validateList checks each value of a list, and that none is there twice.
func (d *decoder) validateList(path, key string, values []string, check func(string) error) {
	for i, value := range values {
		at := fmt.Sprintf("%s.%s[%d]", path, key, i)
		if err := check(value); err != nil {
			d.addProblem(at, "%s", err)
		} else if slices.Contains(values[:i], value) {
			d.addProblem(at, "%s lists %q twice; remove one", key, value)
		}
	}
}
