package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Codes of URLs and connections.
const (
	AddressForm    Code = "address-form"
	AddressHTTPS   Code = "address-https"
	AddressPort    Code = "address-port"
	AddressPublic  Code = "address-public"
	AddressAnswers Code = "address-answers"
	IssuerForm     Code = "issuer-form"
)

// namedURL is a URL and what findings call it, such as "the issuer".
type namedURL struct{ name, url string }

// checkIssuer checks the issuer URL, and the connection to its host.
func (e *exam) checkIssuer(ctx context.Context) {
	e.checkURLs(namedURL{"the issuer", e.cfg.Issuer})
	if strings.HasSuffix(e.cfg.Issuer, "/") {
		e.addWarning(IssuerForm, "The issuer ends with a slash.",
			"Use exactly this issuer, with the slash, in the connector and in the identity function of your pages: "+
				"LivePerson compares it character by character.")
	}
	e.checkConnection(ctx, e.cfg.Issuer)
}

// checkEndpoints checks those endpoints that are not on the issuer's host.
func (e *exam) checkEndpoints(ctx context.Context) {
	var elsewhere []namedURL
	for _, u := range e.meta.endpointURLs() {
		if !sameOrigin(u.url, e.cfg.Issuer) {
			elsewhere = append(elsewhere, u)
		}
	}
	e.checkURLs(elsewhere...)
	checked := map[string]bool{hostPort(e.cfg.Issuer): true}
	for _, u := range elsewhere {
		if host := hostPort(u.url); !checked[host] {
			checked[host] = true
			e.checkConnection(ctx, u.url)
		}
	}
}

// checkURLs checks URLs as they are written, before any request.
func (e *exam) checkURLs(all ...namedURL) {
	var names []string
	bad := map[Code]bool{}
	for _, named := range all {
		u, err := url.Parse(named.url)
		if err != nil || !isWebURL(u) {
			e.addError(AddressForm, fmt.Sprintf("%s is not a valid https URL: %q.", capitalize(named.name), named.url),
				"Write https://, the host name and the path, without user name or fragment: "+
					"for example https://login.brand.example/token.")
			continue
		}
		names = append(names, named.name)
		for _, code := range e.checkURL(named, u) {
			bad[code] = true
		}
	}
	if len(names) == 0 {
		return
	}
	subject, use, have := capitalize(strings.Join(names, " and ")), "uses", "has a host name that is"
	if len(names) > 1 {
		use, have = "use", "have host names that are"
	}
	for _, good := range []struct {
		code     Code
		sentence string
	}{
		{AddressHTTPS, use + " https"},
		{AddressPort, use + " the default port"},
		{AddressPublic, have + " valid on the internet"},
	} {
		if !bad[good.code] {
			e.addOK(good.code, subject+" "+good.sentence+".")
		}
	}
}

// checkURL checks whether LivePerson can use a URL, and returns the codes of what
// it has found.
func (e *exam) checkURL(named namedURL, u *url.URL) []Code {
	var found []Code
	if u.Scheme != "https" {
		found = append(found, AddressHTTPS)
		e.addUnreachable(AddressHTTPS,
			fmt.Sprintf("%s uses http, but LivePerson requires https.", capitalize(named.name)),
			"Configure a certificate, or put a proxy with one in front, and change the issuer to https.", named.url)
	}
	if port := portOf(u); port != "443" && (u.Scheme == "https" || u.Port() != "") {
		found = append(found, AddressPort)
		e.addUnreachable(AddressPort,
			fmt.Sprintf("%s uses port %s, but LivePerson connects to port 443 only.", capitalize(named.name), port),
			"Make the provider reachable on port 443, and remove the port from the issuer.", named.url)
	}
	if why := whyNotPublic(u.Hostname()); why != "" {
		found = append(found, AddressPublic)
		e.addUnreachable(AddressPublic,
			fmt.Sprintf("%s is on host %s, which %s.", capitalize(named.name), u.Hostname(), why),
			"Use a host name in public DNS that resolves to a public IP address.", named.url)
	}
	return found
}

func isWebURL(u *url.URL) bool {
	return (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil && u.Fragment == ""
}

// whyNotPublic returns why LivePerson cannot reach a host of this name, as the end
// of a sentence; empty if it may be able to.
func whyNotPublic(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		if ip.IsLoopback() {
			return "is a loopback address: only this machine can reach it"
		}
		if ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() {
			return "is a private IP address: the internet cannot reach it"
		}
		return "is an IP address: public certificates are rarely issued for those"
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return "is a loopback address: only this machine can reach it"
	}
	if !strings.Contains(host, ".") {
		return "has no domain: only your own network can resolve it"
	}
	for _, suffix := range []string{
		".local", ".internal", ".intranet", ".lan", ".home", ".home.arpa", ".corp", ".private", ".test", ".invalid",
	} {
		if strings.HasSuffix(host, suffix) {
			return fmt.Sprintf("ends in %s: that domain does not exist on the internet", suffix)
		}
	}
	return ""
}

func sameOrigin(a, b string) bool {
	u, errA := url.Parse(a)
	v, errB := url.Parse(b)
	return errA == nil && errB == nil && u.User == nil && u.Fragment == "" && u.Scheme == v.Scheme &&
		hostPort(a) == hostPort(b)
}

// hostPort returns the host:port that a URL connects to.
func hostPort(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return strings.ToLower(u.Hostname()) + ":" + portOf(u)
}

func portOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}
