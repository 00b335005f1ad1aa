package server

import (
	"net/http"

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
	s.registerHealth(e)
	e.GET(web.PathSetup, s.ShowSetup)
	e.GET(web.PathSetup+".json", s.serveSheet)
	s.Renderer.RegisterStatic(e)
	return e
}
