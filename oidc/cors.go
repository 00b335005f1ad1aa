package oidc

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

const (
	// scriptHeaders are the request headers that scripts may send anyway.
	scriptHeaders = "Authorization, Content-Type, DPoP, X-Requested-With, traceparent, tracestate, baggage"
	// readableHeaders are the response headers that scripts may read besides the usual ones.
	readableHeaders = "WWW-Authenticate, Retry-After"
	// maxRequestedHeaders bounds the list of headers of a preflight that is repeated.
	maxRequestedHeaders = 1024
)

// allowAnyOrigin lets scripts of any origin read responses that do not depend on cookies.
// Credentials are never allowed (RFC 9700 section 2.6).
func allowAnyOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", readableHeaders)
		return next(c)
	}
}

// respondPreflight responds to the preflight of a request that allowAnyOrigin allows.
func respondPreflight(c echo.Context) error {
	c.Response().Header().Set("Access-Control-Allow-Origin", "*")
	return allowRequest(c)
}

// respondPagePreflight responds to the preflight of a request of the page script. The client
// is not known yet, so the origin must be one that some client lists.
func (p *Provider) respondPagePreflight(c echo.Context) error {
	origin := c.Request().Header.Get("Origin")
	for _, client := range p.clients {
		if client.LiveEngage != nil && slices.Contains(client.LiveEngage.Page.Origins, origin) {
			allowPage(c, origin)
			return allowRequest(c)
		}
	}
	return c.NoContent(http.StatusForbidden)
}

// allowPage lets a page of a listed origin read the response to a request with cookies.
func allowPage(c echo.Context, origin string) {
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	h.Add("Vary", "Origin")
}

// allowRequest allows the method and the headers that a preflight asks for. Headers of any
// name are harmless, as none but those of the protocol has an effect: libraries for tracing
// add their own.
func allowRequest(c echo.Context) error {
	allowed := scriptHeaders
	requested := strings.Join(c.Request().Header.Values("Access-Control-Request-Headers"), ",")
	if len(requested) > maxRequestedHeaders || strings.ContainsFunc(requested, isOutsideHeaderList) {
		requested = ""
	}
	for name := range strings.SplitSeq(requested, ",") {
		name = strings.TrimSpace(name)
		isListed := func(known string) bool { return strings.EqualFold(known, name) }
		if name != "" && !slices.ContainsFunc(strings.Split(scriptHeaders, ", "), isListed) {
			allowed += ", " + name
		}
	}
	h := c.Response().Header()
	h.Set("Access-Control-Allow-Methods", "GET, HEAD, POST")
	h.Set("Access-Control-Allow-Headers", allowed)
	h.Set("Access-Control-Max-Age", "600")
	h.Add("Vary", "Access-Control-Request-Headers")
	return c.NoContent(http.StatusNoContent)
}

// isOutsideHeaderList reports whether a list of header names cannot have the character (RFC
// 9110 section 5.6.2).
func isOutsideHeaderList(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	return !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~, ", r)
}
