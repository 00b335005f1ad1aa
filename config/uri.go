package config

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"idpbridge/internal/netaddr"
	"idpbridge/liveengage"
)

// checkIssuer returns what is wrong with an issuer, or nil (OIDC Discovery section
// 3). Plain http is allowed on loopback only. The error has no password that the URL
// may contain.
func checkIssuer(issuer string) error {
	invalid := func(problem string) error { return fmt.Errorf("issuer %q %s", hideUserinfo(issuer), problem) }
	if issuer == "" {
		return errors.New("issuer is missing; set it to the URL of this server that browsers and LiveEngage use")
	}
	u, err := url.Parse(issuer)
	isHTTP := err == nil && (u.Scheme == "https" || u.Scheme == "http")
	if !isHTTP || u.Hostname() == "" || strings.ContainsFunc(issuer, isUnsafeInURL) {
		return invalid("is not a URL; use one such as https://login.brand.example")
	}
	if u.Scheme == "http" && !netaddr.IsLoopback(u.Hostname()) {
		return invalid("uses http; use https (http is allowed on loopback only)")
	}
	if u.User != nil {
		return invalid("contains a username or password; remove it")
	}
	if strings.ContainsAny(issuer, "?#") {
		return invalid("has a query or fragment; remove it (OIDC Discovery section 3)")
	}
	if strings.HasSuffix(issuer, "/") {
		return invalid("ends with a slash; remove it")
	}
	if strings.ToLower(u.Scheme+u.Host) != u.Scheme+u.Host || !strings.HasPrefix(issuer, u.Scheme) {
		return invalid("has capital letters in its scheme or host; use lower case")
	}
	defaultPort := map[string]string{"https": "443", "http": "80"}[u.Scheme]
	if strings.HasSuffix(u.Host, ":") || u.Port() == defaultPort {
		return invalid("has the default port; remove it, because browsers and LiveEngage leave it out")
	}
	if problem := findPathProblem(u); problem != "" {
		return invalid(problem)
	}
	return nil
}

// findPathProblem returns what is wrong with the path of an issuer, or "". Proxies,
// browsers and clients rewrite such paths differently, and the issuer is compared byte for
// byte.
func findPathProblem(u *url.URL) string {
	if u.Path == "" {
		return ""
	}
	for segment := range strings.SplitSeq(u.EscapedPath()[1:], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return "has an empty segment or dots in its path; use one such as https://www.brand.example/login"
		}
		if strings.Trim(segment, pathCharacters) != "" {
			return "has special characters in its path; use letters, digits, - . _ and ~ only"
		}
	}
	return ""
}

// pathCharacters are the characters that no one escapes (RFC 3986 section 2.3).
const pathCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

// checkClientRedirectURI returns what is wrong with an entry of redirect_uris, or nil.
// LivePerson sends https://liveperson.net to the token endpoint only. As a redirect URI
// of the authorization endpoint, it hands tokens to that site (RFC 9700 section 4.1).
func checkClientRedirectURI(uri, applicationType string) error {
	if liveengage.IsWebsite(uri) {
		return fmt.Errorf("redirect URI %q is LivePerson's website, not an endpoint of this client, and would receive its "+
			"tokens; remove it (the token endpoint accepts it anyway, see liveengage.token_redirect_uri)", hideUserinfo(uri))
	}
	return checkRedirectURI(uri, applicationType)
}

// checkRedirectURI returns what is wrong with a redirect URI, or nil. The type is web
// or native. Plain http on a loopback address and private-use schemes are for native
// only (RFC 9700 sections 2.6 and 4.1.3, RFC 8252 section 7). The error has no
// password that the URI may contain.
func checkRedirectURI(uri, applicationType string) error {
	invalid := func(problem string) error { return fmt.Errorf("redirect URI %q %s", hideUserinfo(uri), problem) }
	if uri == "" {
		return errors.New("redirect URI is empty; use an absolute URL")
	}
	scheme, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(uri)), ":")
	if slices.Contains([]string{"javascript", "data", "file", "vbscript", "blob", "about"}, scheme) {
		return invalid("has a scheme that runs code or shows content; use an https URL")
	}
	if strings.Contains(uri, "*") {
		return invalid("has a wildcard; list each URL in full (RFC 9700 section 4.1.3)")
	}
	if strings.Contains(uri, "#") {
		return invalid("has a fragment; remove it (RFC 6749 section 3.1.2)")
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || strings.ContainsFunc(uri, isUnsafeInURL) {
		return invalid("is not an absolute URL; use one such as https://www.brand.example/cb")
	}
	if u.User != nil {
		return invalid("contains a username or password; remove it")
	}
	isDots := func(segment string) bool { return segment == "." || segment == ".." }
	if slices.ContainsFunc(strings.Split(u.Path, "/"), isDots) {
		return invalid("has . or .. in its path; use the path that it resolves to")
	}
	return checkRedirectScheme(u, applicationType == typeNative, invalid)
}

// checkRedirectScheme checks the scheme and the host of a redirect URI.
func checkRedirectScheme(u *url.URL, isNative bool, invalid func(string) error) error {
	if u.Scheme == "https" {
		if u.Hostname() == "" {
			return invalid("has no host; use one such as https://www.brand.example/cb")
		}
		return nil
	}
	if u.Scheme == "http" {
		if isNative && netaddr.IsLoopback(u.Hostname()) {
			return nil
		}
		return invalid("uses http; use https (http is allowed on loopback only, with application_type: native)")
	}
	if isNative && strings.Contains(u.Scheme, ".") {
		return nil
	}
	return invalid("has a private-use scheme; use https, or with application_type: native " +
		"a reversed domain name such as com.brand.app:/cb (RFC 8252 section 7.1)")
}

// checkLogoutURI returns what is wrong with a URL that is called when a session ends,
// or nil. It is https, or http on loopback, and has no fragment (OpenID Connect
// Back-Channel Logout section 2.2).
func checkLogoutURI(uri string) error {
	u, err := url.Parse(uri)
	isSecure := err == nil && (u.Scheme == "https" || u.Scheme == "http" && netaddr.IsLoopback(u.Hostname()))
	if !isSecure || u.Hostname() == "" || u.User != nil ||
		strings.ContainsFunc(uri, isUnsafeInURL) || strings.ContainsAny(uri, "#*") {
		return fmt.Errorf("%q is not an https URL without a fragment; use one such as https://www.brand.example/signed-out",
			hideUserinfo(uri))
	}
	return nil
}

// checkOrigin returns what is wrong with an https origin, or nil. It keeps what goes
// into a Content-Security-Policy to one source.
func checkOrigin(origin string) error {
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || origin != "https://"+u.Host ||
		strings.ContainsFunc(origin, isUnsafeInURL) || strings.Contains(origin, "*") {
		return fmt.Errorf("%q is not an origin; use https:// and a host only, such as https://www.brand.example",
			hideUserinfo(origin))
	}
	return nil
}

// CheckPageOrigin returns what is wrong with the origin of a page, or nil. It is
// https, or http on loopback, in the form that browsers send: a scheme, a host and
// possibly a port.
func CheckPageOrigin(origin string) error {
	host, isHTTP := strings.CutPrefix(origin, "http://")
	https := origin
	if isHTTP {
		https = "https://" + host
	}
	u, err := url.Parse(https)
	allowed := err == nil && (!isHTTP || netaddr.IsLoopback(u.Hostname()))
	if allowed && checkOrigin(https) == nil && isSerializedOrigin(u, isHTTP) {
		return nil
	}
	return fmt.Errorf("%q is not an origin as browsers send it; use https:// and a host only, "+
		"such as https://www.brand.example (http is allowed on loopback only)", hideUserinfo(origin))
}

// isSerializedOrigin reports whether a host has the form that browsers send in an
// origin: in lower case, and with a port only if it is not the default.
func isSerializedOrigin(u *url.URL, isHTTP bool) bool {
	port, defaultPort := u.Port(), "443"
	if isHTTP {
		defaultPort = "80"
	}
	if u.Host != strings.ToLower(u.Host) || strings.HasSuffix(u.Host, ":") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return port == "" || err == nil && n > 0 && port != defaultPort && port == strconv.FormatUint(n, 10)
}

// isUnsafeInURL reports whether a character must be escaped in a URL, or would end a
// source in a Content-Security-Policy.
func isUnsafeInURL(c rune) bool {
	return c <= ' ' || c > '~' || strings.ContainsRune(`;,'"\<>^{|}`+"`", c)
}

// hideUserinfo replaces what comes before the host of a URL, which may be a password.
// It works on strings, because a URL that cannot be parsed may have one too. What
// follows the first space is not part of a URL and may be anything, so it is left out.
func hideUserinfo(uri string) string {
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
