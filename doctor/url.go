package doctor

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// namedURL is an address and what people call it.
type namedURL struct{ name, url string }

// checkURLs looks at the texts of addresses, before anything is asked.
func (e *exam) checkURLs(all ...namedURL) {
	var names []string
	bad := map[Code]bool{}
	for _, a := range all {
		u, err := url.Parse(a.url)
		if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
			bad[AddressForm] = true
			e.addFinding(Error, AddressForm, fmt.Sprintf("%s is not a web address: %q.", capitalize(a.name), a.url),
				"Write https://, the host's name and the path, such as https://login.brand.example/token.")
			continue
		}
		names = append(names, a.name)
		if u.Scheme != "https" {
			bad[AddressHTTPS] = true
			e.addUnreachable(AddressHTTPS, fmt.Sprintf("%s is http, and LivePerson uses https only.", capitalize(a.name)),
				"Give it a certificate, or put a proxy with one in front, and change the issuer to https.", a.url)
		}
		if port := portOf(u); port != "443" && (u.Scheme == "https" || u.Port() != "") {
			bad[AddressPort] = true
			e.addUnreachable(AddressPort, fmt.Sprintf("%s is on port %s, and LivePerson connects to 443 only.", capitalize(a.name), port),
				"Let port 443 lead there, and leave the port out of the issuer.", a.url)
		}
		if why := whyNotPublic(u.Hostname()); why != "" {
			bad[AddressPublic] = true
			e.addUnreachable(AddressPublic, fmt.Sprintf("%s has the host %s, %s.", capitalize(a.name), u.Hostname(), why),
				"Give it a name in the public domain name system that leads to an address on the internet.", a.url)
		}
	}
	if len(names) == 0 {
		return
	}
	what, is, name := capitalize(strings.Join(names, " and ")), "is", "has a name"
	if len(names) > 1 {
		is, name = "are", "have names"
	}
	for _, c := range []struct {
		code Code
		says string
	}{{AddressHTTPS, is + " https"}, {AddressPort, is + " on the port that LivePerson connects to"}, {AddressPublic, name + " that can be public"}} {
		if !bad[c.code] {
			e.addOK(c.code, what+" "+c.says+".")
		}
	}
}

// whyNotPublic says why nobody on the internet reaches a host of that name; empty
// where they may.
func whyNotPublic(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		switch ip = ip.Unmap(); {
		case ip.IsLoopback():
			return "which is this very machine"
		case ip.IsPrivate(), ip.IsLinkLocalUnicast(), ip.IsUnspecified():
			return "an address of a private network"
		}
		return "a number instead of a name, for which there are hardly any certificates"
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return "which is this very machine"
	}
	if !strings.Contains(host, ".") {
		return "which has no domain, so that only this network knows it"
	}
	for _, suffix := range []string{".local", ".internal", ".intranet", ".lan", ".home", ".home.arpa", ".corp", ".private", ".test", ".invalid"} {
		if strings.HasSuffix(host, suffix) {
			return fmt.Sprintf("whose ending %s is not on the internet", suffix)
		}
	}
	return ""
}

func capitalize(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
