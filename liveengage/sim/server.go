package sim

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// maxResponseTime is longer than a sign-in that calls a slow identity provider twice.
// It does not limit sockets, which have their own deadlines.
const maxResponseTime = time.Minute

// NewServer returns an HTTP server for the simulator. Its sockets end with the context.
func (s *Simulator) NewServer(ctx context.Context) *http.Server {
	return &http.Server{
		Handler:           s.Handler(),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      maxResponseTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelWarn),
	}
}
