package server

import (
	"net/http"
	"net/url"
	"strings"

	"idpbridge/oidc"
)

// respondToHead responds to HEAD as to GET; net/http leaves out the body. HEAD has no effect
// (RFC 9110 section 9.2.1): where GET has one, it is not told who the browser is.
func (s *Server) respondToHead(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		r = r.WithContext(r.Context())
		r.Method, r.Header = http.MethodGet, r.Header.Clone()
		path := strings.TrimPrefix(r.URL.Path, s.Base)
		if path == oidc.PathAuthorize || path == oidc.PathResume || path == oidc.PathEndSession {
			r.Header.Del("Cookie")
		}
		if path == oidc.PathEndSession {
			r.URL = &url.URL{Path: r.URL.Path}
		}
		next.ServeHTTP(headWriter{w}, r)
	})
}

// headWriter sets no cookies: they could replace those that the browser did not send.
type headWriter struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w headWriter) WriteHeader(status int) {
	w.Header().Del("Set-Cookie")
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w headWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
