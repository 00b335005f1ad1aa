package server

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"idpbridge/oidc"
)

// newHandler returns the public handler with the middleware that every request
// passes through, and no routes yet.
func (s *Server) newHandler(issuer *url.URL) *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.IPExtractor = extractAddress
	e.HTTPErrorHandler = s.handleError
	e.Use(s.recoverPanics, s.metrics.measureRequests, s.readForwarded, s.checkTransport(issuer),
		limitBody(s.Settings.Limits.Body))
	return e
}

// limitBody stops reading a body that is too large. If its Content-Length says so,
// the user sees a page. Endpoints for clients respond in JSON themselves.
func limitBody(limit int64) echo.MiddlewareFunc {
	return middleware.BodyLimitWithConfig(middleware.BodyLimitConfig{
		Limit: strconv.FormatInt(limit, 10) + "B",
		Skipper: func(c echo.Context) bool {
			if !oidc.IsClientEndpoint(c.Path()) {
				return false
			}
			r := c.Request()
			r.Body = http.MaxBytesReader(c.Response(), r.Body, limit)
			return true
		},
	})
}

// strictTLS accepts TLS 1.2 and newer, and with 1.2 only ECDHE with AEAD ciphers (RFC 9325
// section 4.2).
func strictTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, CipherSuites: []uint16{
		tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
		tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	}}
}

// checkTransport accepts requests to the issuer's own host over a transport as
// secure as the issuer's. Forwarded headers count only from trusted proxies (RFC 9700
// section 4.13), and the issuer is never derived from a request (RFC 8414 section 3.3).
func (s *Server) checkTransport(issuer *url.URL) echo.MiddlewareFunc {
	secure := issuer.Scheme == "https"
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			caller := forwardedFrom(r)
			if secure {
				if r.TLS == nil && (!caller.proxied || caller.proto != "" && caller.proto != "https") {
					s.logMisdirected(c, caller, "not over https")
					return s.Renderer.ShowError(c, oidc.ErrorPage{
						Status: http.StatusForbidden, Title: "Secure connection required",
						Message: "This address is served over https only.",
						Remedy:  "Open " + s.Settings.Issuer + " instead.",
					})
				}
				c.Response().Header().Set("Strict-Transport-Security", "max-age=31536000")
			}
			if !caller.isIssuersHost(issuer) {
				if s.Development && r.Method == http.MethodGet {
					return c.Redirect(http.StatusFound, s.Settings.Issuer+"/")
				}
				s.logMisdirected(c, caller, "for another host")
				return s.Renderer.ShowError(c, oidc.ErrorPage{
					Status: http.StatusMisdirectedRequest, Title: "Wrong address",
					Message: "This service has another address.",
					Remedy:  "Open " + s.Settings.Issuer + " instead. A proxy in front must pass the Host header on.",
				})
			}
			c.Response().Header().Set("X-Content-Type-Options", "nosniff")
			return next(c)
		}
	}
}

// logMisdirected says in the log what is wrong with a request's host or scheme.
func (s *Server) logMisdirected(c echo.Context, caller forwarded, reason string) {
	s.Log.InfoContext(c.Request().Context(), "request misdirected", "reason", reason, "address", c.RealIP(),
		"host", cutValue(caller.host), "proto", cutValue(caller.proto), "proxied", caller.proxied)
}

// recoverPanics turns a panic into an error, so that it ends no other request.
func (s *Server) recoverPanics(next echo.HandlerFunc) echo.HandlerFunc {
	return middleware.RecoverWithConfig(middleware.RecoverConfig{
		LogErrorFunc: func(c echo.Context, err error, stack []byte) error {
			s.Log.ErrorContext(c.Request().Context(), "panic", "error", err.Error(), "stack", string(stack))
			return echo.NewHTTPError(http.StatusInternalServerError).SetInternal(err)
		},
	})(next)
}

// handleError handles every error that a handler returns: it is logged once and
// shown as a page without its text.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status := http.StatusInternalServerError
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = he.Code
	}
	if errors.Is(err, oidc.ErrUnavailable) {
		s.countEvent("database_unavailable", "")
		status = http.StatusServiceUnavailable
		c.Response().Header().Set("Retry-After", oidc.RetryAfter)
	}
	ctx := c.Request().Context()
	page, expected := pageForStatus(status)
	if !expected && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "request failed", "path", c.Path(), "error", err.Error())
	}
	if err := s.Renderer.ShowError(c, page); err != nil {
		s.Log.ErrorContext(ctx, "error page failed", "error", err)
	}
}

// pageForStatus is the error page for an HTTP status. It reports whether the status
// is one that callers cause, so that the log need not mention it.
func pageForStatus(status int) (page oidc.ErrorPage, expected bool) {
	page = oidc.ErrorPage{Status: status, Remedy: "Go back to where you came from and try again."}
	switch status {
	case http.StatusNotFound:
		page.Title, page.Message = "Page not found", "There is no page at this address."
		page.Remedy = "Check the address, or go back to where you came from."
	case http.StatusMethodNotAllowed:
		page.Title, page.Message = "Request not allowed", "This page does not accept requests of this kind."
	case http.StatusRequestEntityTooLarge:
		page.Title, page.Message = "Request too large", "The request is too large."
	case http.StatusServiceUnavailable:
		page.Title, page.Message = "Not available", "This service is not available at the moment."
		page.Remedy = "Try again in a few seconds."
		return page, false
	default:
		page.Message, page.Remedy = "Something went wrong on our side.", "Try again in a moment."
		return page, false
	}
	return page, true
}
