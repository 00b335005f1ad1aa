package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/netaddr"
	"idpbridge/keys"
)

const (
	web               = "web"
	native            = "native"
	profileLiveEngage = "liveengage"
	authBasic         = "client_secret_basic"
	authPost          = "client_secret_post"
	authKey           = "private_key_jwt"
	authNone          = "none"
)

// shortestSecret is the fewest characters of a client's secret: as many as
// half of what openssl rand -hex 32 makes.
const shortestSecret = 32

// offlineAccess allows refresh tokens, which outlive the session: it is for whom
// the file names it (OIDC Core section 11).
const offlineAccess = "offline_access"

func defaultScopes() []string {
	return []string{"openid", "profile", "email", "address", "phone", "lp_sdes"}
}

func responseTypes() []string {
	return []string{"code", "id_token", "id_token token", "code id_token", "code token", "code id_token token"}
}

// clients fills in the clients' defaults and checks them.
func (r *reader) clients(clients []Client) {
	if len(clients) == 0 {
		r.fault("clients", "clients is missing; list at least one")
	}
	seen := map[string]bool{}
	for i := range clients {
		c, path := &clients[i], fmt.Sprintf("clients[%d]", i)
		if c.ID != "" && seen[c.ID] {
			r.fault(path+".id", "another client has that id; give each one of its own")
		}
		seen[c.ID] = true
		c.fillIn(r.has(path+".secret"), r.has(path+".jwks"))
		r.client(path, *c)
		r.credentials(path, *c)
		r.addresses(path, *c)
		r.liveengage(path, *c)
		r.encryption(path, *c)
	}
}

// set gives a text its default where the file leaves it out.
func set(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

// fillIn sets what the file leaves out. A secret or key set that is named but
// cannot be had counts, so that its absence is not reported as two faults.
func (c *Client) fillIn(secret, keys bool) {
	c.eitherWay = c.Profile == profileLiveEngage && secret && c.AuthMethod == ""
	set(&c.Name, c.ID)
	set(&c.Type, web)
	set(&c.Algorithm, "RS256")
	if keys {
		set(&c.AuthMethod, authKey)
	}
	if secret {
		set(&c.AuthMethod, authBasic)
	}
	set(&c.AuthMethod, authNone)
	if len(c.ResponseTypes) == 0 {
		c.ResponseTypes = []string{"code"}
	}
	if len(c.Scopes) == 0 {
		c.Scopes = defaultScopes()
	}
	if c.Profile == profileLiveEngage {
		if c.LiveEngage == nil {
			c.LiveEngage = &LiveEngage{}
		}
		c.ClaimsInIDToken = true
		if !slices.Contains(c.Scopes, "lp_sdes") {
			c.Scopes = append(c.Scopes, "lp_sdes")
		}
	}
}

// client checks all of a client but its addresses.
func (r *reader) client(path string, c Client) {
	bad := func(key, format string, args ...any) { r.fault(path+"."+key, format, args...) }
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			bad(key, "%s %q is not known; write one of: %s", strings.TrimRight(key, "[]0123456789"), excerpt(value), strings.Join(allowed, ", "))
		}
	}
	switch {
	case c.ID == "":
		r.required(path+".id", "", "write the client_id")
	case strings.ContainsFunc(c.ID, func(c rune) bool { return c <= ' ' || c > '~' }):
		bad("id", "id has spaces or characters beyond ASCII; write letters, digits, - and _")
	}
	oneOf("application_type", c.Type, web, native)
	oneOf("id_token_signed_response_alg", c.Algorithm, "RS256", "ES256")
	oneOf("token_endpoint_auth_method", c.AuthMethod, authBasic, authPost, authKey, authNone)
	if c.Profile != "" {
		oneOf("profile", c.Profile, profileLiveEngage)
	}
	for i, t := range c.ResponseTypes {
		oneOf(fmt.Sprintf("response_types[%d]", i), t, responseTypes()...)
	}
	for i, s := range c.Scopes {
		oneOf(fmt.Sprintf("scopes[%d]", i), s, append(defaultScopes(), offlineAccess)...)
	}
	if r.has(path+".scopes") && !slices.Contains(c.Scopes, "openid") {
		bad("scopes", "scopes lacks openid, without which nobody can sign in; add it (OIDC Core section 3.1.2.1)")
	}
	if c.Profile == profileLiveEngage && c.Algorithm == "ES256" {
		bad("id_token_signed_response_alg", "LiveEngage reads RS256 only; leave id_token_signed_response_alg out")
	}
}

// credentials checks that a client has what its authentication method needs, and
// nothing else.
func (r *reader) credentials(path string, c Client) {
	bad := func(key, format string, args ...any) { r.fault(path+"."+key, format, args...) }
	secret, jwks := r.has(path+".secret"), r.has(path+".jwks")
	code := slices.ContainsFunc(c.ResponseTypes, func(t string) bool { return strings.Contains(t, "code") })
	switch {
	case c.Secret.IsSet() && len(c.Secret.Reveal()) < shortestSecret:
		bad("secret", "secret has fewer than %d characters; make one with: openssl rand -hex 32", shortestSecret)
	case secret && jwks:
		bad("jwks", "there is a secret and a key set; leave one of them out")
	case (secret || jwks) && c.AuthMethod == authNone:
		bad("token_endpoint_auth_method", "token_endpoint_auth_method is none, but there is a secret or a key set; leave one of them out")
	case !secret && (c.AuthMethod == authBasic || c.AuthMethod == authPost):
		bad("token_endpoint_auth_method", "token_endpoint_auth_method is %s, but there is no secret; add secret: {env: NAME}, or write none", c.AuthMethod)
	case !jwks && c.AuthMethod == authKey:
		bad("token_endpoint_auth_method", "token_endpoint_auth_method is private_key_jwt, but there are no keys; add jwks: {file: client.jwks.json}")
	case jwks && c.AuthMethod != authKey:
		bad("token_endpoint_auth_method", "token_endpoint_auth_method is %s, but there is a key set; write private_key_jwt", c.AuthMethod)
	case !secret && !jwks && c.Profile == profileLiveEngage && code:
		bad("profile", "profile liveengage has no secret for the code flow; add secret: {env: NAME}, or write response_types: [id_token]")
	}
	if c.JWKS.IsSet() {
		if _, err := keys.ParseJWKS(c.JWKS.Reveal()); err != nil {
			bad("jwks", "jwks: %s", err)
		}
	}
}

// addresses checks every address of a client.
func (r *reader) addresses(path string, c Client) {
	if len(c.RedirectURIs) == 0 {
		r.fault(path+".redirect_uris", "redirect_uris is missing; list at least one address")
	}
	check := func(key string, uris []string, check func(string) error) {
		for i, uri := range uris {
			at := fmt.Sprintf("%s.%s[%d]", path, key, i)
			if err := check(uri); err != nil {
				r.fault(at, "%s", err)
			} else if slices.Contains(uris[:i], uri) {
				r.fault(at, "%s lists %q twice; write it once", key, uri)
			}
		}
	}
	redirect := func(uri string) error { return CheckRedirectURI(uri, c.Type) }
	check("redirect_uris", c.RedirectURIs, redirect)
	check("post_logout_redirect_uris", c.PostLogoutRedirectURIs, redirect)
	check("redirects_on_to", c.RedirectsOnTo, checkOrigin)
	for key, uri := range map[string]string{"backchannel_logout_uri": c.BackchannelLogoutURI, "frontchannel_logout_uri": c.FrontchannelLogoutURI} {
		if uri == "" && !r.has(path+"."+key) {
			continue
		}
		if err := checkLogoutURI(uri); err != nil {
			r.fault(path+"."+key, "%s", err)
		}
	}
}

// checkLogoutURI says what is wrong with an address that is told of sign-outs:
// https, or http on loopback, without a fragment (Back-Channel Logout section 2.2).
func checkLogoutURI(uri string) error {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || u.User != nil || strings.ContainsFunc(uri, unfit) || strings.ContainsAny(uri, "#*") ||
		u.Scheme != "https" && (u.Scheme != "http" || !netaddr.IsLoopback(u.Hostname())) {
		return fmt.Errorf("%q is not an https address without a fragment; write one such as https://www.brand.example/signed-out", withoutUser(uri))
	}
	return nil
}

// checkOrigin keeps what goes into a Content-Security-Policy to one source.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || origin != "https://"+u.Host || strings.ContainsFunc(origin, unfit) || strings.Contains(origin, "*") {
		return fmt.Errorf("%q is not an origin; write https:// and a host alone, such as https://www.brand.example", withoutUser(origin))
	}
	return nil
}

// CheckRedirectURI says what is wrong with an address that a client is
// registered with, or returns nil. The type is web or native; plain http, on a
// loopback address, and schemes of an application's own are for native alone
// (RFC 9700 sections 2.6 and 4.1.3, RFC 8252 section 7). The error holds no
// password that the address may have.
func CheckRedirectURI(uri, applicationType string) error {
	say := func(problem string) error { return fmt.Errorf("redirect URI %q %s", withoutUser(uri), problem) }
	u, err := url.Parse(uri)
	scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(uri)), ":")
	switch {
	case uri == "":
		return errors.New("redirect URI is empty; write an address in full")
	case slices.Contains([]string{"javascript", "data", "file", "vbscript", "blob", "about"}, scheme):
		return say("has a scheme that runs or shows content; write an https address")
	case strings.Contains(uri, "*"):
		return say("has a wildcard; list each address in full (RFC 9700 section 4.1.3)")
	case strings.Contains(uri, "#"):
		return say("has a fragment; leave it out (RFC 6749 section 3.1.2)")
	case err != nil || u.Scheme == "" || strings.ContainsFunc(uri, unfit):
		return say("is not an address in full; write one such as https://www.brand.example/cb")
	case u.User != nil:
		return say("has a user in front of the host; leave it out")
	case slices.ContainsFunc(strings.Split(u.Path, "/"), func(s string) bool { return s == "." || s == ".." }):
		return say("has . or .. in its path; write the path that it leads to")
	case u.Scheme == "https" && u.Hostname() != "":
		return nil
	case u.Scheme == "http" && applicationType == native && netaddr.IsLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return say("is http; write https (http is for the loopback address of an application_type native)")
	case u.Scheme == "https":
		return say("has no host; write one such as https://www.brand.example/cb")
	case applicationType == native && strings.Contains(u.Scheme, "."):
		return nil
	}
	return say("has a scheme of its own; write https, or for an application_type native a reversed domain name such as com.brand.app:/cb (RFC 8252 section 7.1)")
}

// unfit finds what an address must escape, and what would end a source in a
// Content-Security-Policy.
func unfit(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune(`;,'"\<>^{|}`+"`", c) }

// withoutUser replaces what stands before the host: it may hold a password.
// It works on text, because an address that cannot be parsed may hold one too.
// From the first space on it is no address, but may be anything, and is left out.
func withoutUser(uri string) string {
	if i := strings.IndexFunc(uri, func(c rune) bool { return c <= ' ' }); i > 0 {
		uri = uri[:i] + "…"
	}
	i := strings.LastIndexByte(uri, '@')
	if i < 0 {
		return uri
	}
	scheme, _, ok := strings.Cut(uri[:i], "//")
	if !ok {
		return "…" + uri[i:]
	}
	return scheme + "//…" + uri[i:]
}
