package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"idpbridge/internal/netaddr"
)

// ErrHostNotAllowed is returned for a request to a host that is not allowed.
var ErrHostNotAllowed = errors.New("host is not allowed")

// Hosts are the hosts a client may contact. Each entry is a full host name, or "*."
// and a domain, which matches every host below it. Loopback hosts are always
// allowed. The zero value allows nothing else.
type Hosts []string

// LivePersonHosts returns the hosts of LivePerson's services.
func LivePersonHosts() Hosts { return Hosts{"*.liveperson.net", "*.lpsnmedia.net"} }

// Check returns ErrHostNotAllowed if a request to u is not allowed. Outside loopback
// the scheme must be https or wss.
func (h Hosts) Check(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if netaddr.IsLoopback(host) {
		return nil
	}
	if !slices.ContainsFunc(h, func(pattern string) bool { return matchHost(pattern, host) }) {
		return fmt.Errorf("%w: %s", ErrHostNotAllowed, u.Host)
	}
	if u.Scheme != "https" && u.Scheme != "wss" {
		return fmt.Errorf("%w without https: %s", ErrHostNotAllowed, u.Host)
	}
	return nil
}

// matchHost reports whether host, in lower case, is the pattern or below its domain.
func matchHost(pattern, host string) bool {
	domain, wildcard := strings.CutPrefix(strings.ToLower(pattern), "*")
	if !wildcard {
		return host == domain
	}
	return strings.HasPrefix(domain, ".") && strings.HasSuffix(host, domain) && len(host) > len(domain)
}

// Transport wraps next so that requests to other hosts fail with ErrHostNotAllowed.
func (h Hosts) Transport(next http.RoundTripper) http.RoundTripper { return hostGuard{h, next} }

type hostGuard struct {
	hosts Hosts
	next  http.RoundTripper
}

func (g hostGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := g.hosts.Check(r.URL); err != nil {
		if r.Body != nil {
			err = errors.Join(err, r.Body.Close())
		}
		return nil, err
	}
	return g.next.RoundTrip(r)
}

func (g hostGuard) CloseIdleConnections() {
	if c, ok := g.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}
