package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"idpbridge/internal/netaddr"
	"idpbridge/internal/pgurl"
)

// isSet reports whether the file has a value at a path, valid or not.
func (d *decoder) isSet(path string) bool {
	_, ok := d.positions[path]
	return ok
}

// validateConfig checks values that have the right type, and makes paths relative to
// the working directory.
func (d *decoder) validateConfig(cfg *Config) {
	if err := checkIssuer(cfg.Issuer); err != nil {
		d.addProblem("issuer", "%s", err)
	}
	d.requireValue("data", cfg.Data, "set it to a directory for the database and the keys, such as /var/lib/idp")
	d.requireValue("people", cfg.People, "set it to the people file, such as people.yaml")
	cfg.Data, cfg.People = d.resolvePath(cfg.Data), d.resolvePath(cfg.People)
	d.validateStore(cfg)
	if cfg.Secret.IsSet() && !isHex64(cfg.Secret.Reveal()) {
		d.addProblem("secret", "secret is not 64 hexadecimal characters; generate it with: openssl rand -hex 32")
	}
	if cfg.TLS != nil && strings.HasPrefix(cfg.Issuer, "http:") {
		d.addProblem("issuer", "issuer is http, but tls is set; use https, or remove tls")
	}
	d.validateBrand(cfg.Brand)
	d.validateListeners(cfg)
	d.validateProxies(cfg.Proxies)
	d.validateTLS(cfg.TLS)
	d.validateLifetimes(&cfg.Lifetimes)
	d.validateLimits(cfg.Limits)
	if s := cfg.Subjects; s != nil {
		if !isHex64(s.Key.Reveal()) {
			d.addProblem("subjects.key", "subjects.key is not 64 hexadecimal characters; "+
				"generate it with: openssl rand -hex 32, and never change it")
		}
		s.Known = d.resolvePath(s.Known)
	}
	d.validateClients(cfg.Clients, cfg.Issuer)
}

// requireValue reports that a string is missing or empty.
func (d *decoder) requireValue(path, value, remedy string) {
	if value != "" {
		return
	}
	state := "missing"
	if d.isSet(path) {
		state = "empty"
	}
	d.addProblem(path, "%s is %s; %s", displayPath(path), state, remedy)
}

// requireOneOf reports that a value is not among those allowed. The name is the one
// to use in the message.
func (d *decoder) requireOneOf(path, name, value string, allowed ...string) {
	for _, a := range allowed {
		if value == a {
			return
		}
	}
	d.addProblem(path, "unknown %s %q; use one of: %s", name, shorten(value), strings.Join(allowed, ", "))
}

// requireRange reports that a duration is too short or too long.
func (d *decoder) requireRange(path string, value, least, most time.Duration) {
	if value < least || value > most {
		d.addProblem(path, "%s is %s; use %s to %s",
			path, formatDuration(value), formatDuration(least), formatDuration(most))
	}
}

// formatDuration formats 10m as 10m, and not as 10m0s.
func formatDuration(duration time.Duration) string {
	s := duration.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func isPostgresURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && (u.Host != "" || u.RawQuery != "")
}

// validateStore checks the URL as connecting does.
func (d *decoder) validateStore(cfg *Config) {
	if !cfg.Store.IsSet() {
		return
	}
	if !isPostgresURL(cfg.Store.Reveal()) {
		d.addProblem("store",
			"store is not a PostgreSQL URL; use one such as postgres://user@host/database, or remove the key to use SQLite")
		return
	}
	connection, err := pgurl.Parse(cfg.Store.Reveal())
	if err != nil {
		d.addProblem("store", "store cannot be used: %s", err)
		return
	}
	if !cfg.InsecureStoreConnection && !pgurl.IsProtected(connection) {
		d.addProblem("store", "store is on another host without verified TLS; add sslmode=verify-full to its URL, "+
			"and sslrootcert if its certificate is from your own authority; "+
			"if the network is trusted, set insecure_store_connection: true")
	}
}

func isHex64(s string) bool {
	isOther := func(c rune) bool { return (c < '0' || c > '9') && (c < 'a' || c > 'f') }
	return len(s) == 64 && !strings.ContainsFunc(strings.ToLower(s), isOther)
}

// splitHostPort splits host:port with a port from 0 to 65535.
func splitHostPort(address string) (host string, ok bool) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return host, err == nil
}

func (d *decoder) validateBrand(b Brand) {
	d.requireValue("brand.name", b.Name, "pages show it as the name of your brand")
	for _, link := range []struct{ name, value string }{
		{"home", b.Home}, {"logo", b.Logo}, {"help", b.Help}, {"privacy", b.Privacy},
	} {
		u, err := url.Parse(link.value)
		if link.value != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil) {
			d.addProblem("brand."+link.name, "brand.%s is not an https URL; use one such as https://www.brand.example/%s",
				link.name, link.name)
		}
	}
}

func (d *decoder) validateListeners(cfg *Config) {
	host, ok := splitHostPort(cfg.Listen)
	noTLS := cfg.TLS == nil && len(cfg.Proxies) == 0 && !d.isSet("tls") && !d.isSet("proxies")
	if !ok {
		d.addProblem("listen", "listen %q is not host:port; use a value such as 127.0.0.1:8080", shorten(cfg.Listen))
	} else if noTLS && !netaddr.IsLoopback(host) {
		d.addProblem("listen", "listen %q is reachable from other machines without TLS; "+
			"set tls, or set proxies to the address of your TLS proxy", shorten(cfg.Listen))
	} else if noTLS && strings.HasPrefix(cfg.Issuer, "https:") {
		d.addProblem("issuer", "issuer is https, but there is no TLS; "+
			"set tls, or set proxies to the address of your TLS proxy")
	}
	operationsHost, valid := splitHostPort(cfg.Operations)
	if cfg.Operations != "off" && (!valid || !netaddr.IsLoopback(operationsHost)) {
		d.addProblem("operations", "operations %q is not a loopback address; use a value such as %s, or off",
			shorten(cfg.Operations), operationsAddress)
	}
	if _, valid := splitHostPort(cfg.Health); !valid && cfg.Health != "off" {
		d.addProblem("health", "health %q is not host:port; use a value such as 0.0.0.0:8082, or off",
			shorten(cfg.Health))
	}
	d.requireRange("shutdown_delay", cfg.ShutdownDelay, 0, 5*time.Minute)
	d.requirePort("operations", cfg.Operations, "listen", cfg.Listen)
	d.requirePort("health", cfg.Health, "listen", cfg.Listen)
	d.requirePort("health", cfg.Health, "operations", cfg.Operations)
}

// requirePort reports that an address takes the port of another one.
func (d *decoder) requirePort(name, address, otherName, other string) {
	host, port, err := net.SplitHostPort(address)
	otherHost, otherPort, otherErr := net.SplitHostPort(other)
	if err != nil || otherErr != nil || port != otherPort || strings.Trim(port, "0") == "" {
		return
	}
	if address == other {
		d.addProblem(name, "%s and %s are both %q; use different ports", name, otherName, shorten(address))
	} else if isWildcard(host) || isWildcard(otherHost) || sameListenHost(host) == sameListenHost(otherHost) {
		d.addProblem(name, "%s %q and %s %q take the same port; use different ports",
			name, shorten(address), otherName, shorten(other))
	}
}

// isWildcard reports whether a host means all addresses of this machine.
func isWildcard(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// sameListenHost returns the address that listening on localhost takes.
func sameListenHost(host string) string {
	if host == "localhost" {
		return "127.0.0.1"
	}
	return host
}

func (d *decoder) validateProxies(proxies []netip.Prefix) {
	if d.isSet("proxies") && len(proxies) == 0 {
		d.addProblem("proxies", "proxies is empty; list the addresses of your proxies, or remove the key")
	}
	for i, p := range proxies {
		if p.IsValid() && p.Bits() == 0 {
			d.addProblem(fmt.Sprintf("proxies[%d]", i),
				"proxies[%d] trusts every address, so anyone could spoof X-Forwarded-For; list the addresses of your proxies", i)
		}
	}
}

func (d *decoder) validateTLS(files *TLS) {
	if files == nil {
		return
	}
	d.requireValue("tls.certificate", files.Certificate, "set it to the PEM file of the certificate chain")
	d.requireValue("tls.key", files.Key, "set it to the PEM file of the private key")
	files.Certificate, files.Key = d.resolvePath(files.Certificate), d.resolvePath(files.Key)
}

func (d *decoder) validateLifetimes(l *Lifetimes) {
	if !d.isSet("lifetimes.session_idle") {
		l.SessionIdle = min(l.SessionIdle, max(l.Session, time.Minute))
	}
	if !d.isSet("lifetimes.refresh_token_idle") {
		l.RefreshIdle = min(l.RefreshIdle, max(l.Refresh, time.Minute))
	}
	const day = 24 * time.Hour
	d.requireRange("lifetimes.request", l.Request, time.Minute, day)
	d.requireRange("lifetimes.code", l.Code, time.Second, 10*time.Minute)
	d.requireRange("lifetimes.id_token", l.IDToken, time.Minute, day)
	d.requireRange("lifetimes.access_token", l.AccessToken, time.Minute, day)
	d.requireRange("lifetimes.session", l.Session, time.Minute, 90*day)
	d.requireRange("lifetimes.session_idle", l.SessionIdle, time.Minute, 90*day)
	d.requireRange("lifetimes.refresh_token", l.Refresh, time.Minute, 400*day)
	d.requireRange("lifetimes.refresh_token_idle", l.RefreshIdle, time.Minute, 400*day)
	d.requireRange("lifetimes.refresh_token_grace", l.RefreshGrace, 0, time.Minute)
	d.requireNotLonger("lifetimes.session_idle", l.SessionIdle, "lifetimes.session", l.Session)
	d.requireNotLonger("lifetimes.id_token", l.IDToken, "lifetimes.session", l.Session)
	d.requireNotLonger("lifetimes.refresh_token_idle", l.RefreshIdle, "lifetimes.refresh_token", l.Refresh)
}

// requireNotLonger reports that a duration is longer than another one, which ends it.
func (d *decoder) requireNotLonger(path string, value time.Duration, limitPath string, limit time.Duration) {
	if value > limit && !d.rejected[path] && !d.rejected[limitPath] {
		d.addProblem(path, "%s is %s, longer than %s, which is %s; make it shorter",
			path, formatDuration(value), limitPath, formatDuration(limit))
	}
}

func (d *decoder) validateLimits(l Limits) {
	d.requireRange("limits.delay", l.Delay, 100*time.Millisecond, time.Hour)
	d.requireRange("limits.max_delay", l.MaxDelay, 100*time.Millisecond, 24*time.Hour)
	d.requireRange("limits.window", l.Window, time.Minute, 24*time.Hour)
	d.requireRange("limits.timeout", l.Timeout, time.Second, 5*time.Minute)
	if l.MaxDelay < l.Delay {
		d.addProblem("limits.max_delay", "limits.max_delay is %s, less than limits.delay; use %s or more",
			formatDuration(l.MaxDelay), formatDuration(l.Delay))
	}
	if d.isSet("limits.max_delay") {
		d.requireNotLonger("limits.max_delay", l.MaxDelay, "limits.window", l.Window)
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
			d.addProblem(n.path, "%s is %d; use %d to %d", n.path, n.value, n.least, n.most)
		}
	}
}
