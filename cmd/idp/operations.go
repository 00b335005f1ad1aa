package main

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"idpbridge/web"
)

// operations is the handler of the second, loopback-only address: metrics,
// health, and the set-up page.
func (in *instance) operations() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = in.showError
	e.GET("/metrics", echo.WrapHandler(in.metrics.handler()))
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", in.ready)
	e.GET(web.PathSetup, in.showSetup)
	e.GET(web.PathSetup+".json", in.sheetData)
	e.GET(in.base+web.PathStatic+"*", echo.WrapHandler(http.StripPrefix(in.base+web.PathStatic, web.Static())))
	return e
}

// ready says whether the database answers.
func (in *instance) ready(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 2*time.Second)
	defer cancel()
	if err := in.store.Ping(ctx); err != nil {
		in.log.ErrorContext(ctx, "not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "the database does not answer; see the log\n")
	}
	return c.String(http.StatusOK, "ready\n")
}
