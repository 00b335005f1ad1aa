package server

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"idpbridge/internal/netaddr"
	"idpbridge/web"
)

// checkOperationsHost accepts requests for the operations address and for this machine
// only. A page on the web can have its name resolve to loopback, but the browser then
// sends that name (DNS rebinding).
func (s *Server) checkOperationsHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		host := c.Request().Host
		if host == s.Settings.Operations || netaddr.IsLoopback(hostname(host)) {
			return next(c)
		}
		s.Log.InfoContext(c.Request().Context(), "request misdirected", "reason", "for another host than operations",
			"address", c.Request().RemoteAddr, "host", cutValue(host))
		return c.String(http.StatusMisdirectedRequest, "Use a loopback address, such as 127.0.0.1.\n")
	}
}

// hostname returns a Host header without port and brackets, in lower case.
func hostname(host string) string {
	u := url.URL{Host: strings.ToLower(host)}
	return u.Hostname()
}

// OperationsHandler serves the operations address, which is loopback only: metrics,
// health checks and the set-up page.
func (s *Server) OperationsHandler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.handleError
	e.Use(s.checkOperationsHost)
	e.GET("/metrics", echo.WrapHandler(s.metrics.newHandler()))
	s.registerHealth(e)
	e.GET(web.PathSetup, s.ShowSetup)
	e.GET(web.PathSetup+".json", s.serveSheet)
	s.Renderer.RegisterStatic(e)
	return e
}
