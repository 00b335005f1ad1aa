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

// ErrHostNotAllowed is a request to a host that nobody has named.
var ErrHostNotAllowed = errors.New("this host may not be contacted")

// errRedirect is an answer that leads elsewhere.
var errRedirect = errors.New("the answer leads to another host")

// Hosts are the names of hosts that may be contacted: each a name in full, or *.
// and a domain, which is any host below it. Hosts on loopback always may; the zero
// value allows no other.
type Hosts []string

// LivePersonHosts are the hosts of LivePerson's own services.
func LivePersonHosts() Hosts { return Hosts{"*.liveperson.net", "*.lpsnmedia.net"} }

// Check says why an address may not be contacted, or nil. Beyond loopback it has
// to be https.
func (h Hosts) Check(u *url.URL) error {
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if netaddr.IsLoopback(host) {
		return nil
	}
	named := slices.ContainsFunc(h, func(name string) bool {
		domain, below := strings.CutPrefix(strings.ToLower(name), "*")
		return host == domain || below && strings.HasPrefix(domain, ".") && strings.HasSuffix(host, domain) && len(host) > len(domain)
	})
	switch {
	case !named:
		return fmt.Errorf("%w: %s", ErrHostNotAllowed, u.Host)
	case u.Scheme != "https" && u.Scheme != "wss":
		return fmt.Errorf("%w without https: %s", ErrHostNotAllowed, u.Host)
	}
	return nil
}

// Transport is the transport with every request to another host refused.
func (h Hosts) Transport(of http.RoundTripper) http.RoundTripper { return hostGuard{h, of} }

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

// checkRedirect follows a few redirects within a host and refuses all others: what is
// sent is meant for that host alone.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
		return fmt.Errorf("%w: from %s to %s", errRedirect, first.Host, r.URL.Host)
	}
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", errRedirect, maxRedirects)
	}
	return nil
}
