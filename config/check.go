package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"idpbridge/internal/netaddr"
)

// has says whether the file has a value at a path, whatever it is worth.
func (r *reader) has(path string) bool {
	_, ok := r.at[path]
	return ok
}

// check looks for what is wrong with values of the right type, and makes paths
// relative to the working directory.
func (r *reader) check(cfg *Config) {
	if err := CheckIssuer(cfg.Issuer); err != nil {
		r.fault("issuer", "%s", err)
	}
	r.required("data", cfg.Data, "name a folder for the database and the keys, such as /var/lib/idp")
	r.required("people", cfg.People, "name the people file, such as people.yaml")
	r.required("brand.name", cfg.Brand.Name, "pages say whose they are")
	cfg.Data, cfg.People = r.join(cfg.Data), r.join(cfg.People)
	if cfg.Store.IsSet() && !isPostgres(cfg.Store.Reveal()) {
		r.fault("store", "store is no address of PostgreSQL; write one such as postgres://user@host/database, or leave it out for SQLite")
	}
	if cfg.Secret.IsSet() && !isHex64(cfg.Secret.Reveal()) {
		r.fault("secret", "secret is not 64 hexadecimal characters; make one with: openssl rand -hex 32")
	}
	for _, link := range []struct{ path, value string }{
		{"brand.logo", cfg.Brand.Logo}, {"brand.help", cfg.Brand.Help}, {"brand.privacy", cfg.Brand.Privacy},
	} {
		if u, err := url.Parse(link.value); link.value != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil) {
			r.fault(link.path, "%s is not an https address; write one such as https://www.brand.example/%s", link.path, strings.TrimPrefix(link.path, "brand."))
		}
	}
	r.listeners(cfg)
	r.lifetimes(cfg.Lifetimes)
	r.limits(cfg.Limits)
	if s := cfg.Subjects; s != nil {
		if !isHex64(s.Key.Reveal()) {
			r.fault("subjects.key", "subjects.key is not 64 hexadecimal characters; make one with: openssl rand -hex 32, and keep it for ever")
		}
		s.Known = r.join(s.Known)
	}
	r.clients(cfg.Clients)
	for i, c := range cfg.Clients {
		if c.LiveEngage != nil && c.LiveEngage.Page != nil && c.LiveEngage.Page.AcrossSites && strings.HasPrefix(cfg.Issuer, "http:") {
			r.fault(fmt.Sprintf("clients[%d].liveengage.page.across_sites", i), "across_sites needs an https issuer: browsers send no such cookie otherwise; leave it out")
		}
	}
}

// required notes that a text is missing or empty.
func (r *reader) required(path, value, remedy string) {
	switch {
	case value != "":
	case r.has(path):
		r.fault(path, "%s is empty; %s", r.shown(path), remedy)
	default:
		r.fault(path, "%s is missing; %s", r.shown(path), remedy)
	}
}

// CheckIssuer says what is wrong with an issuer, or returns nil (OIDC Discovery
// section 3). Plain http is for loopback addresses alone.
func CheckIssuer(issuer string) error {
	say := func(problem string) error { return fmt.Errorf("issuer %q %s", withoutUser(issuer), problem) }
	u, err := url.Parse(issuer)
	switch {
	case issuer == "":
		return errors.New("issuer is missing; write the address that people and LiveEngage reach this program at")
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(issuer, unfit):
		return say("is not an address; write one such as https://login.brand.example")
	case u.Scheme == "http" && !netaddr.IsLoopback(u.Hostname()):
		return say("is http; write https (http is for loopback addresses alone)")
	case u.User != nil:
		return say("has a user in front of the host; leave it out")
	case strings.ContainsAny(issuer, "?#"):
		return say("has a query or a fragment; leave it out (OIDC Discovery section 3)")
	case strings.HasSuffix(issuer, "/"):
		return say("ends in a slash; leave it out")
	case strings.ToLower(u.Scheme+u.Host) != u.Scheme+u.Host || !strings.HasPrefix(issuer, u.Scheme):
		return say("has capitals in its scheme or host; write them in lower case")
	}
	return nil
}

func isPostgres(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && (u.Host != "" || u.RawQuery != "")
}

func isHex64(s string) bool {
	return len(s) == 64 && !strings.ContainsFunc(strings.ToLower(s), func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') })
}

// hostPort cuts host:port; the port is 0 to 65535.
func hostPort(address string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return host, err == nil
}

func (r *reader) listeners(cfg *Config) {
	host, ok := hostPort(cfg.Listen)
	bare := cfg.TLS == nil && len(cfg.Proxies) == 0 && !r.has("tls") && !r.has("proxies")
	switch {
	case !ok:
		r.fault("listen", "listen %q is not host:port; write one such as 127.0.0.1:8080", excerpt(cfg.Listen))
	case !netaddr.IsLoopback(host) && bare:
		r.fault("listen", "listen %q can be reached from elsewhere without TLS; add tls, or proxies with the address of the one in front", excerpt(cfg.Listen))
	case strings.HasPrefix(cfg.Issuer, "https:") && bare:
		r.fault("issuer", "issuer is https, but nothing here ends TLS; add tls, or proxies with the address of the one in front")
	}
	for i, p := range cfg.Proxies {
		if p.IsValid() && p.Bits() == 0 {
			r.fault(fmt.Sprintf("proxies[%d]", i), "proxies[%d] is everybody, who could then say whom a request comes from; write the addresses of your proxies", i)
		}
	}
	if r.has("proxies") && len(cfg.Proxies) == 0 {
		r.fault("proxies", "proxies is empty; list the address of the one in front, or leave it out")
	}
	if cfg.TLS != nil {
		r.required("tls.certificate", cfg.TLS.Certificate, "name the PEM file of the certificate chain")
		r.required("tls.key", cfg.TLS.Key, "name the PEM file of the key")
		cfg.TLS.Certificate, cfg.TLS.Key = r.join(cfg.TLS.Certificate), r.join(cfg.TLS.Key)
	}
	if host, ok := hostPort(cfg.Operations); cfg.Operations != "off" && (!ok || !netaddr.IsLoopback(host)) {
		r.fault("operations", "operations %q is not a loopback address; write one such as %s, or off", excerpt(cfg.Operations), operationsAddress)
	}
	if cfg.Operations == cfg.Listen && ok {
		r.fault("operations", "operations and listen are both %q; give each a port of its own", excerpt(cfg.Listen))
	}
}

// within notes a duration that is too short or too long.
func (r *reader) within(path string, d, least, most time.Duration) {
	if d < least || d > most {
		r.fault(path, "%s is %s; write %s to %s", path, short(d), short(least), short(most))
	}
}

// short writes 10m where the library writes 10m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (r *reader) lifetimes(l Lifetimes) {
	const day = 24 * time.Hour
	r.within("lifetimes.request", l.Request, time.Minute, day)
	r.within("lifetimes.code", l.Code, time.Second, 10*time.Minute)
	r.within("lifetimes.id_token", l.IDToken, time.Minute, day)
	r.within("lifetimes.access_token", l.AccessToken, time.Minute, day)
	r.within("lifetimes.session", l.Session, time.Minute, 90*day)
	r.within("lifetimes.session_idle", l.SessionIdle, time.Minute, 90*day)
	r.within("lifetimes.refresh_token", l.Refresh, time.Minute, 400*day)
	r.within("lifetimes.refresh_token_idle", l.RefreshIdle, time.Minute, 400*day)
	r.within("lifetimes.refresh_token_grace", l.RefreshGrace, 0, time.Minute)
}

func (r *reader) limits(l Limits) {
	r.within("limits.delay", l.Delay, 100*time.Millisecond, time.Hour)
	r.within("limits.max_delay", l.MaxDelay, 100*time.Millisecond, 24*time.Hour)
	r.within("limits.window", l.Window, time.Minute, 24*time.Hour)
	r.within("limits.timeout", l.Timeout, time.Second, 5*time.Minute)
	if l.MaxDelay < l.Delay {
		r.fault("limits.max_delay", "limits.max_delay is %s, less than limits.delay; write %s or more", short(l.MaxDelay), short(l.Delay))
	}
	for _, n := range []struct {
		path               string
		value, least, most int64
	}{
		{"limits.failures", int64(l.Failures), 1, 1000},
		{"limits.address_failures", int64(l.AddressFailures), 1, 1_000_000},
		{"limits.body", l.Body, 4 << 10, 16 << 20},
		{"limits.header", int64(l.Header), 4 << 10, 1 << 20},
	} {
		if n.value < n.least || n.value > n.most {
			r.fault(n.path, "%s is %d; write %d to %d", n.path, n.value, n.least, n.most)
		}
	}
}
