package oidc

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// errForeignForm means that a page of another site sent a form.
var errForeignForm = errors.New("a page of another site sent this form")

// CheckFormOrigin returns an error if a page of another site sent a form. Origin is
// compared with the issuer, not with the Host header, which proxies rewrite. Browsers
// without Fetch Metadata send "Origin: null" from our pages, because these send no
// referrer. That is accepted only if the form has a token that is bound to the browser or
// its session, which the handler must check.
func CheckFormOrigin(r *http.Request, issuer string, hasToken bool) error {
	site := r.Header.Get("Sec-Fetch-Site")
	if site != "" && site != "same-origin" && site != "none" {
		return errForeignForm
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return nil // a browser from before 2020, or not a browser
	}
	if len(origins) == 1 && origins[0] == serializeOrigin(issuer) {
		return nil
	}
	if len(origins) == 1 && origins[0] == "null" && (hasToken || site != "") {
		return nil
	}
	return errForeignForm
}

// serializeOrigin returns the origin of an http or https URL as browsers send it.
func serializeOrigin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	defaultPort := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]
	return u.Scheme + "://" + strings.TrimSuffix(strings.ToLower(u.Host), defaultPort)
}
