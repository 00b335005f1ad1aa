package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// config checks a document and turns it into a Config.
func (r *reader) config(doc document) *Config {
	cfg := &Config{
		Issuer: doc.Issuer, Listen: doc.Listen, Operations: doc.Operations, Data: r.path(doc.Data),
		Store: r.resolve("$.store", doc.Store), Secret: r.resolve("$.secret", doc.Secret), TLS: doc.TLS,
		Proxies: r.proxies(doc.Proxies), Brand: doc.Brand, People: r.path(doc.People), Lifetimes: doc.Lifetimes, Limits: doc.Limits,
	}
	if err := CheckIssuer(cfg.Issuer); err != nil {
		r.fault("$.issuer", "%v", err)
	}
	if cfg.Data == "" {
		r.fault("$.data", "data is missing; name a folder for the database and the keys, such as /var/lib/idp")
	}
	if cfg.People == "" {
		r.fault("$.people", "people is missing; name the people file")
	}
	if cfg.Brand.Name == "" {
		r.fault("$.brand", "brand.name is missing; pages say whose they are")
	}
	if s := string(cfg.Store); s != "" && !strings.HasPrefix(s, "postgres://") && !strings.HasPrefix(s, "postgresql://") {
		r.fault("$.store", "store is neither empty (SQLite) nor of the form postgres://user@host/database")
	}
	r.listeners(cfg)
	r.durations(cfg)
	if len(doc.Clients) == 0 {
		r.fault("$.clients", "clients is missing; list at least one")
	}
	seen := make(map[string]bool)
	for i, c := range doc.Clients {
		if seen[c.ID] {
			r.fault(fmt.Sprintf("$.clients[%d].id", i), "client %q occurs twice; each needs an id of its own", c.ID)
		}
		seen[c.ID] = true
		cfg.Clients = append(cfg.Clients, r.client(fmt.Sprintf("$.clients[%d]", i), c))
	}
	return cfg
}

// CheckIssuer says what is wrong with an issuer (OIDC Discovery section 3).
func CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("issuer is missing; write the address that people and LiveEngage reach this program at")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("issuer %q is not an address; write one such as https://login.brand.example", issuer)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("issuer %q is http; write https (http is for loopback addresses alone)", issuer)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil || strings.ContainsAny(issuer, "?#"):
		return fmt.Errorf("issuer %q has a query, fragment or user; leave them out", issuer)
	case strings.HasSuffix(issuer, "/"):
		return fmt.Errorf("issuer %q ends in a slash; leave it out", issuer)
	case strings.ToLower(u.Host) != u.Host:
		return fmt.Errorf("issuer %q has capitals in its host; write it in lower case", issuer)
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || host == "localhost"
}

func (r *reader) listeners(cfg *Config) {
	host, _, err := net.SplitHostPort(cfg.Listen)
	switch {
	case err != nil:
		r.fault("$.listen", "listen %q is not host:port", cfg.Listen)
	case !loopback(host) && cfg.TLS == nil && len(cfg.Proxies) == 0:
		r.fault("$.listen", "listen %q is reachable from elsewhere without TLS; add tls, or proxies with the address of the one in front", cfg.Listen)
	}
	if strings.HasPrefix(cfg.Issuer, "https:") && cfg.TLS == nil && len(cfg.Proxies) == 0 {
		r.fault("$.issuer", "issuer is https, but there is neither tls nor proxies; add one of them")
	}
	if cfg.TLS != nil {
		cfg.TLS.Certificate, cfg.TLS.Key = r.path(cfg.TLS.Certificate), r.path(cfg.TLS.Key)
		if cfg.TLS.Certificate == "" || cfg.TLS.Key == "" {
			r.fault("$.tls", "tls needs both certificate and key")
		}
	}
	if cfg.Operations == "off" {
		return
	}
	if host, _, err := net.SplitHostPort(cfg.Operations); err != nil || !loopback(host) {
		r.fault("$.operations", "operations %q is not a loopback host:port, such as 127.0.0.1:8081, or off", cfg.Operations)
	}
}

func (r *reader) durations(cfg *Config) {
	l, m := cfg.Lifetimes, cfg.Limits
	for _, d := range []struct {
		path     string
		value    time.Duration
		min, max time.Duration
	}{
		{"lifetimes.request", l.Request, time.Minute, 24 * time.Hour},
		{"lifetimes.code", l.Code, time.Second, 10 * time.Minute},
		{"lifetimes.id_token", l.IDToken, time.Minute, 24 * time.Hour},
		{"lifetimes.access_token", l.AccessToken, time.Minute, 24 * time.Hour},
		{"lifetimes.session", l.Session, time.Minute, 90 * 24 * time.Hour},
		{"lifetimes.session_idle", l.SessionIdle, time.Minute, 90 * 24 * time.Hour},
		{"limits.delay", m.Delay, 100 * time.Millisecond, time.Hour},
		{"limits.max_delay", m.MaxDelay, m.Delay, 24 * time.Hour},
		{"limits.window", m.Window, time.Minute, 24 * time.Hour},
		{"limits.timeout", m.Timeout, time.Second, 5 * time.Minute},
	} {
		if d.value < d.min || d.value > d.max {
			r.fault("$."+d.path, "%s is %s; write %s to %s", d.path, d.value, d.min, d.max)
		}
	}
	for path, n := range map[string]int64{"failures": int64(m.Failures), "address_failures": int64(m.AddressFailures)} {
		if n < 1 {
			r.fault("$.limits."+path, "limits.%s is %d; write 1 or more", path, n)
		}
	}
	if m.Body < 4096 || m.Header < 4096 {
		r.fault("$.limits", "limits.body and limits.header are bytes; write 4096 or more")
	}
}

var allScopes = []string{"openid", "profile", "email", "address", "phone", "lp_sdes"} //nolint:gochecknoglobals // read only

func (r *reader) client(path string, c clientRecord) Client {
	out := Client{
		ID: c.ID, Name: c.Name, Secret: r.resolve(path+".secret", c.Secret), Type: c.Type, AuthMethod: c.AuthMethod,
		RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, ResponseTypes: c.ResponseTypes,
		Scopes: c.Scopes, Profile: c.Profile, ClaimsInIDToken: c.ClaimsInIDToken, Algorithm: c.Algorithm, RedirectsOnTo: c.RedirectsOnTo,
	}
	if out.Type == "" {
		out.Type = "web"
	}
	if out.Algorithm == "" {
		out.Algorithm = "RS256"
	}
	if len(out.ResponseTypes) == 0 {
		out.ResponseTypes = []string{"code"}
	}
	if len(out.Scopes) == 0 {
		out.Scopes = allScopes
	}
	if out.AuthMethod == "" {
		out.AuthMethod = "client_secret_basic"
		if out.Secret == "" {
			out.AuthMethod = "none"
		}
	}
	bad := func(key, format string, args ...any) {
		r.fault(path+"."+key, "client %q: %s", c.ID, fmt.Sprintf(format, args...))
	}
	if out.ID == "" || strings.ContainsFunc(out.ID, func(c rune) bool { return c <= ' ' || c > '~' }) {
		bad("id", "id is missing or has spaces or characters beyond ASCII")
	}
	oneOf := func(key, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			bad(key, "%s %q is not known; write one of: %s", key, value, strings.Join(allowed, ", "))
		}
	}
	oneOf("application_type", out.Type, "web", "native")
	oneOf("id_token_signed_response_alg", out.Algorithm, "RS256", "ES256")
	oneOf("token_endpoint_auth_method", out.AuthMethod, "client_secret_basic", "client_secret_post", "none")
	oneOf("profile", out.Profile, "", "liveengage")
	if out.Profile == "liveengage" && out.Algorithm != "RS256" {
		bad("id_token_signed_response_alg", "LiveEngage takes RS256 only")
	}
	for _, t := range out.ResponseTypes {
		oneOf("response_types", t, "code", "id_token", "id_token token")
	}
	for _, s := range out.Scopes {
		oneOf("scopes", s, allScopes...)
	}
	if out.Secret != "" && len(out.Secret) < 32 {
		bad("secret", "secret has fewer than 32 characters; make one with: openssl rand -hex 32")
	}
	if (out.AuthMethod == "none") != (out.Secret == "") {
		bad("token_endpoint_auth_method", "token_endpoint_auth_method %s does not go with the secret; a client has a secret or the method none", out.AuthMethod)
	}
	r.uris(path, out, bad)
	return out
}

func (r *reader) uris(path string, c Client, bad func(key, format string, args ...any)) {
	if len(c.RedirectURIs) == 0 {
		bad("redirect_uris", "redirect_uris is missing; list at least one address")
	}
	for i, uri := range c.RedirectURIs {
		if err := CheckRedirectURI(uri, c.Type); err != nil {
			bad(fmt.Sprintf("redirect_uris[%d]", i), "%v", err)
		}
	}
	for i, uri := range c.PostLogoutRedirectURIs {
		if err := CheckRedirectURI(uri, c.Type); err != nil {
			bad(fmt.Sprintf("post_logout_redirect_uris[%d]", i), "%v", err)
		}
	}
	for i, uri := range c.RedirectsOnTo {
		if u, err := url.Parse(uri); err != nil || u.Scheme != "https" || u.Host == "" || u.Path != "" || strings.ContainsAny(uri, " ;,'\"*?#") {
			bad(fmt.Sprintf("redirects_on_to[%d]", i), "%q is not an https origin such as https://www.brand.example", uri)
		}
	}
}

// CheckRedirectURI says what is wrong with a redirect URI (RFC 9700 sections
// 2.6 and 4.1.3, RFC 8252 section 7).
func CheckRedirectURI(uri, applicationType string) error {
	u, err := url.Parse(uri)
	switch {
	case strings.Contains(uri, "*"):
		return fmt.Errorf("redirect URI %q has a wildcard; list each address in full (RFC 9700 section 4.1.3)", uri)
	case strings.Contains(uri, "#"):
		return fmt.Errorf("redirect URI %q has a fragment; leave it out (RFC 6749 section 3.1.2)", uri)
	case err != nil || u.Scheme == "" || strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c > '~' || c == ';' || c == '\\' }):
		return fmt.Errorf("redirect URI %q is not an address in full", uri)
	case u.User != nil:
		return fmt.Errorf("redirect URI %q has a user; leave it out", uri)
	case u.Scheme == "https" && u.Host != "":
		return nil
	case u.Scheme == "http" && applicationType == "native" && loopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("redirect URI %q is http; write https (http on a loopback address is for application_type native)", uri)
	case slices.Contains([]string{"javascript", "data", "file", "vbscript", "blob", "about"}, u.Scheme):
		return fmt.Errorf("redirect URI %q has a scheme that runs or shows content; write an https address", uri)
	case applicationType == "native" && strings.Contains(u.Scheme, "."):
		return nil
	}
	return fmt.Errorf("redirect URI %q has a scheme of its own; a native application's is a reversed domain name such as com.brand.app:/cb (RFC 8252 section 7.1)", uri)
}
