package server

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/web"
)

// OperationsHandler serves the operations address, which is loopback only: metrics,
// health checks and the set-up page.
func (s *Server) OperationsHandler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.handleError
	e.GET("/metrics", echo.WrapHandler(s.metrics.newHandler()))
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", s.checkReadiness)
	e.GET(web.PathSetup, s.ShowSetup)
	e.GET(web.PathSetup+".json", s.serveSheet)
	s.Renderer.RegisterStatic(e)
	return e
}

// checkReadiness reports whether the database responds.
func (s *Server) checkReadiness(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := s.Store.Ping(ctx); err != nil {
		s.Log.ErrorContext(ctx, "not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "the database does not respond; see the log\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
