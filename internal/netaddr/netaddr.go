// Package netaddr answers questions about the hosts in URLs and listen addresses.
package netaddr

import "net/netip"

// IsLoopback reports whether host is this machine: "localhost" in lower case, or
// a loopback IP address without brackets, as url.URL.Hostname returns it.
func IsLoopback(host string) bool {
	return host == "localhost" || IsLoopbackIP(host)
}

// IsLoopbackIP reports whether host is a loopback IP address without brackets:
// 127.0.0.0/8 or ::1. Names don't count, because a resolver decides where they
// lead (RFC 8252 section 8.3), and neither do addresses with a zone.
func IsLoopbackIP(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.IsLoopback()
}
