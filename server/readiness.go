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

// readiness is whether this instance should get requests.
type readiness struct {
	stopping, failing atomic.Bool
	probeNow          chan struct{} // makes probeDatabase look at once
}

func (r *readiness) isReady() bool { return !r.stopping.Load() && !r.failing.Load() }

// suspect makes the instance unready until the next probe, which it asks for at once.
func (r *readiness) suspect() {
	r.failing.Store(true)
	select {
	case r.probeNow <- struct{}{}:
	default:
	}
}

// probeDatabase writes to the database periodically, so that a full disk or a read-only
// standby makes the instance unready. It logs when that changes.
func (s *Server) probeDatabase(ctx context.Context) {
	tick := time.NewTicker(probeInterval)
	defer tick.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.readiness.probeNow:
		}
		probe, cancel := context.WithTimeout(ctx, probeTimeout)
		err := s.Store.ProbeWrite(probe, s.Now())
		cancel()
		if ctx.Err() != nil {
			return
		}
		s.readiness.failing.Store(err != nil)
		if err != nil && !failing {
			s.Log.ErrorContext(ctx, "not ready: the database cannot be written", "error", err)
		}
		if err == nil && failing {
			s.Log.InfoContext(ctx, "ready again")
		}
		failing = err != nil
	}
}

// countEvent counts an event. If the database was unavailable, the instance may not be ready.
func (s *Server) countEvent(name, client string) {
	s.metrics.countEvent(name, client)
	if name == "database_unavailable" {
		s.readiness.suspect()
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
