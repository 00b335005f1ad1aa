// Package cookie sets and reads the program's own cookies: always HttpOnly and for
// the whole host; SameSite=Lax, but for the one kind that SetAcrossSites sets; over
// https also Secure, under a __Host- name that no sub-domain can set.
package cookie

import (
	"net/http"
	"net/textproto"
	"strings"
)

// Policy says over which transport cookies travel.
type Policy struct {
	// Secure is true where the issuer is https. False is for plain http on a
	// loopback address alone: not every client sends Secure cookies there.
	Secure bool
}

// Name is the cookie's full name: with the prefix __Host- where it is Secure
// (RFC 6265bis section 4.1.3.2).
func (p Policy) Name(base string) string {
	if p.Secure {
		return "__Host-" + base
	}
	return base
}

// Set sends a cookie that lives as long as the browser runs. Name is a full
// name and value must be of cookie characters; others are dropped.
func (p Policy) Set(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, p.cookie(name, value, 0))
}

// SetAcrossSites is Set for a cookie that pages of other sites may have sent along,
// where the browser allows it (SameSite=None). Whoever reads it must know which
// page asks. Over plain http it sets nothing: browsers refuse it there.
func (p Policy) SetAcrossSites(w http.ResponseWriter, name, value string) {
	if !p.Secure {
		return
	}
	c := p.cookie(name, value, 0) //nolint:gosec // it is Secure here, and SameSite is the point
	c.SameSite = http.SameSiteNoneMode
	http.SetCookie(w, c)
}

// Clear takes the cookie of that full name away.
func (p Policy) Clear(w http.ResponseWriter, name string) { http.SetCookie(w, p.cookie(name, "", -1)) }

func (p Policy) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure is false over plain http on loopback alone
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: p.Secure, SameSite: http.SameSiteLaxMode,
	}
}

// Get returns the value of the cookie of that full name, or "" where there is
// none, or more than one: then somebody has planted one of them. One that is
// malformed counts, though it has no value.
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
