package server

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/internal/limit"
)

const (
	headerFor   = "X-Forwarded-For"
	headerHost  = "X-Forwarded-Host"
	headerPort  = "X-Forwarded-Port"
	headerProto = "X-Forwarded-Proto"

	// unreadableLogInterval bounds how often the log mentions unreadable headers. The
	// metric counts all of them.
	unreadableLogInterval = time.Minute
	// maxLoggedHeader cuts a header's value in the log.
	maxLoggedHeader = 100
)

// forwarded is what is known of a request's way through the proxies.
type forwarded struct {
	proxied bool   // the connection is from a trusted proxy
	address string // throttle key of the caller's IP address; empty if it is unknown
	proto   string // scheme that the caller used, in lower case; empty if no proxy says
	host    string // Host header that the caller sent
	port    string // port that the caller used; empty if no proxy says
	problem string // header that cannot be read; empty if all can
}

type forwardedKey struct{}

// forwardedFrom returns what readForwarded found.
func forwardedFrom(r *http.Request) forwarded {
	f, _ := r.Context().Value(forwardedKey{}).(forwarded)
	return f
}

// extractAddress is the echo.IPExtractor: the caller's address as readForwarded found it,
// or "" if it is unknown. Callers must not count failures under "": everyone would share
// them.
func extractAddress(r *http.Request) string { return forwardedFrom(r).address }

// readForwarded reads the X-Forwarded-* headers once for all later handlers. They count
// only from trusted proxies (RFC 9700 section 4.13).
func (s *Server) readForwarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		f := parseForwarded(r, s.Settings.Proxies)
		if f.problem != "" {
			s.metrics.countEvent("forwarded_header_unreadable", "")
			now, last := s.Now().UnixNano(), s.unreadableLogged.Load()
			if now-last >= int64(unreadableLogInterval) && s.unreadableLogged.CompareAndSwap(last, now) {
				s.Log.WarnContext(r.Context(), "forwarded header unreadable", "header", f.problem,
					"value", cutValue(strings.Join(r.Header.Values(f.problem), ", ")), "proxy", r.RemoteAddr)
			}
		}
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), forwardedKey{}, f)))
		return next(c)
	}
}

func cutValue(value string) string {
	if len(value) > maxLoggedHeader {
		return strings.ToValidUTF8(value[:maxLoggedHeader], "") + "…"
	}
	return value
}

// parseForwarded reads the way of a request. Proxies set Host, Proto and Port, or append to
// them as to X-Forwarded-For. In a list, the value at the caller's place counts: anything
// before it was sent by the caller.
func parseForwarded(r *http.Request, proxies []netip.Prefix) forwarded {
	f := forwarded{host: r.Host, address: r.RemoteAddr}
	caller, known := parseForwardedAddress(r.RemoteAddr)
	if known {
		f.address = limit.Address(caller)
	}
	if f.proxied = known && isTrusted(caller, proxies); !f.proxied {
		return f
	}
	address, hops, ok := findCaller(caller, splitHeader(r.Header, headerFor), proxies)
	if ok {
		f.address = limit.Address(address)
	} else {
		f.address, f.problem = "", headerFor
	}
	f.proto = strings.ToLower(valueAt(r.Header, headerProto, hops))
	if f.proto != "" && f.proto != "http" && f.proto != "https" {
		f.problem = headerProto
	}
	if host := valueAt(r.Header, headerHost, hops); host != "" {
		f.host = host
	}
	f.port = valueAt(r.Header, headerPort, hops)
	return f
}

// findCaller walks from the nearest hop to the caller: the first address that is not a
// trusted proxy, or the outermost proxy. It also returns how many proxies the request has
// passed, at least one. It reports false if a trusted proxy names no one, and at an entry that
// is not an address, because what lies behind it is anyone's claim.
func findCaller(
	nearest netip.Addr, entries []string, proxies []netip.Prefix,
) (caller netip.Addr, hops int, ok bool) {
	if len(entries) == 0 && isTrusted(nearest, proxies) {
		return netip.Addr{}, 1, false // the proxy's own address would stand for everyone
	}
	caller = nearest
	for _, entry := range slices.Backward(entries) {
		if !isTrusted(caller, proxies) {
			break
		}
		hops++
		address, ok := parseForwardedAddress(entry)
		if !ok {
			return netip.Addr{}, hops, false
		}
		caller = address
	}
	return caller, max(1, hops), true
}

// parseForwardedAddress reads an IP address as gateways write it: with or without a port,
// brackets, quotes or a zone.
func parseForwardedAddress(value string) (netip.Addr, bool) {
	value = strings.Trim(value, " \t\"")
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(value, "["), "]"))
	if err != nil {
		host := value
		if i := strings.LastIndexByte(value, ':'); i >= 0 {
			host = value[:i]
		}
		address, err = netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	}
	if err != nil {
		return netip.Addr{}, false
	}
	return address.Unmap().WithZone(""), true
}

// splitHeader returns the elements of a header that is a list and may be repeated. An
// empty header has no elements; an empty element is one.
func splitHeader(h http.Header, name string) []string {
	var values []string
	for _, line := range h.Values(name) {
		if strings.TrimSpace(line) == "" {
			continue
		}
		for value := range strings.SplitSeq(line, ",") {
			values = append(values, strings.Trim(value, " \t\""))
		}
	}
	return values
}

// valueAt returns the value that the outermost of so many proxies has set or appended. A
// single value counts in any case, since most proxies replace the header. If the list is
// shorter than the way, its first value is that of a proxy, too.
func valueAt(h http.Header, name string, hops int) string {
	values := splitHeader(h, name)
	if len(values) == 0 {
		return ""
	}
	return values[max(0, len(values)-hops)]
}

func isTrusted(address netip.Addr, proxies []netip.Prefix) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// isIssuersHost compares the host that the caller used with the issuer's. The default
// port of the scheme may be given or not. A proxy may leave out the port, or send it in
// X-Forwarded-Port.
func (f forwarded) isIssuersHost(issuer *url.URL) bool {
	suffix := map[string]string{"http": ":80", "https": ":443"}[issuer.Scheme]
	normalize := func(host string) string { return strings.TrimSuffix(strings.ToLower(host), suffix) }
	if normalize(f.host) == normalize(issuer.Host) {
		return true
	}
	name := issuer.Hostname()
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	ownPort := issuer.Port()
	if ownPort == "" {
		ownPort = suffix[1:]
	}
	return f.proxied && strings.EqualFold(f.host, name) && (f.port == "" || f.port == ownPort)
}
