package server

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
)

const (
	probeInterval = 5 * time.Second
	probeTimeout  = 3 * time.Second
)

// readiness is whether this instance should get requests. The zero value is ready.
type readiness struct{ stopping, failing atomic.Bool }

func (r *readiness) isReady() bool { return !r.stopping.Load() && !r.failing.Load() }

// probeDatabase writes to the database, so that a full disk or a read-only standby makes
// the instance unready. It logs when that changes.
func (s *Server) probeDatabase(ctx context.Context) {
	probe, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	err := s.Store.ProbeWrite(probe, s.Now())
	failed := err != nil
	if ctx.Err() != nil || failed == s.readiness.failing.Load() {
		return
	}
	s.readiness.failing.Store(failed)
	if failed {
		s.Log.ErrorContext(ctx, "not ready: the database cannot be written", "error", err)
	} else {
		s.Log.InfoContext(ctx, "ready again")
	}
}

// registerHealth mounts the health checks. Their bodies are constant, so they reveal
// nothing.
func (s *Server) registerHealth(e *echo.Echo) {
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", func(c echo.Context) error {
		if s.readiness.isReady() {
			return c.String(http.StatusOK, "ready\n")
		}
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	})
}

// HealthHandler serves the health address: only /healthz and /readyz, for any Host.
func (s *Server) HealthHandler() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = func(_ error, c echo.Context) { _ = c.NoContent(http.StatusNotFound) }
	s.registerHealth(e)
	return e
}
