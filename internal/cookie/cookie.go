// Package cookie sets and reads the server's own cookies. They are HttpOnly, for the
// whole host, and SameSite=Lax, except for those of SetAcrossSites. Over https they are
// Secure, and have a __Host- name that subdomains can't set.
package cookie

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"time"
)

// Policy says how cookies are set.
type Policy struct {
	// Secure is true if the issuer is https. It is false for plain http on loopback,
	// where not every browser sends Secure cookies.
	Secure bool
	// suffix ends every name, so that several issuers on one host do not share cookies.
	suffix string
}

// PolicyFor returns the policy of an issuer. Browsers send cookies to all ports and paths of
// a host, so an issuer that has either gets names that no other one has.
func PolicyFor(issuer *url.URL) Policy {
	p := Policy{Secure: issuer.Scheme == "https"}
	if issuer.Port() != "" || strings.Trim(issuer.Path, "/") != "" {
		sum := sha256.Sum256([]byte(issuer.String()))
		p.suffix = "_" + hex.EncodeToString(sum[:4])
	}
	return p
}

// Name returns the full name of a cookie, which has the prefix __Host- if it is Secure
// (RFC 6265bis section 4.1.3.2), and the suffix of the issuer.
func (p Policy) Name(base string) string {
	if p.Secure {
		return "__Host-" + base + p.suffix
	}
	return base + p.suffix
}

// Set sets a cookie that lasts until the browser is closed. The name is a full name.
// Characters that cookies can't contain are dropped from the value.
func (p Policy) Set(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, p.newCookie(name, value, 0))
}

// SetFor is Set for a cookie that lasts for a time.
func (p Policy) SetFor(w http.ResponseWriter, name, value string, lifetime time.Duration) {
	http.SetCookie(w, p.newCookie(name, value, int(lifetime/time.Second)))
}

// SetAcrossSites is Set for a cookie that the browser also sends with requests from
// pages on other sites, if it allows that (SameSite=None). Code that reads the cookie
// must check which page the request is from. Over plain http it does nothing, because
// browsers reject such cookies there.
func (p Policy) SetAcrossSites(w http.ResponseWriter, name, value string) {
	if !p.Secure {
		return
	}
	c := p.newCookie(name, value, 0) //nolint:gosec // it is Secure here, and SameSite=None is intended
	c.SameSite = http.SameSiteNoneMode
	http.SetCookie(w, c)
}

// Clear deletes the cookie with a full name.
func (p Policy) Clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, p.newCookie(name, "", -1))
}

func (p Policy) newCookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is false over plain http on loopback only
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	}
}

// Get returns the value of the cookie with a full name. It returns "" if there is none,
// or if there are several, because then an attacker may have set one of them. Malformed
// ones count too.
func (Policy) Get(r *http.Request, name string) string {
	occurs := 0
	for _, line := range r.Header["Cookie"] {
		for pair := range strings.SplitSeq(line, ";") {
			found, _, _ := strings.Cut(pair, "=")
			if textproto.TrimString(found) == name {
				occurs++
			}
		}
	}
	c, err := r.Cookie(name)
	if err != nil || occurs != 1 {
		return ""
	}
	return c.Value
}
