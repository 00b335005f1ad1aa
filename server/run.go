package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"idpbridge/config"
	"idpbridge/keys"
)

// shutdownGrace is how long requests may finish after the context has ended.
const shutdownGrace = 20 * time.Second

// Listeners are the ports of a server. Operations is nil if it is switched off.
type Listeners struct{ Public, Operations net.Listener }

// Listen takes the ports of the settings and writes the addresses back to them, so
// that port 0 works. Listen before New: a second instance then fails before it
// touches any data.
func Listen(ctx context.Context, settings *config.Config) (*Listeners, error) {
	public, err := ListenOn(ctx, "listen", settings.Listen)
	if err != nil {
		return nil, err
	}
	l := &Listeners{Public: public}
	settings.Listen = public.Addr().String()
	if settings.Operations == "off" {
		return l, nil
	}
	if l.Operations, err = ListenOn(ctx, "operations", settings.Operations); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	settings.Operations = l.Operations.Addr().String()
	return l, nil
}

// ListenOn listens on host:port. Its error names the setting.
func ListenOn(ctx context.Context, setting, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w; is another program, or another idp, using it?",
			setting, address, errors.Unwrap(err))
	}
	return l, nil
}

// Close closes the listeners.
func (l *Listeners) Close() error {
	err := l.Public.Close()
	if l.Operations != nil {
		err = errors.Join(err, l.Operations.Close())
	}
	return err
}

// Run serves until the context ends, then lets requests finish.
func (s *Server) Run(ctx context.Context, l *Listeners) error {
	s.logStart()
	group, ctx := errgroup.WithContext(ctx)
	serve := func(server *http.Server, serve func() error) {
		group.Go(func() error { return serveUntilDone(ctx, server, serve) })
	}
	public := s.newHTTPServer(s.Handler())
	serve(public, func() error {
		if tls := s.Settings.TLS; tls != nil {
			return public.ServeTLS(l.Public, tls.Certificate, tls.Key)
		}
		return public.Serve(l.Public)
	})
	if l.Operations != nil {
		operations := s.newHTTPServer(s.OperationsHandler())
		serve(operations, func() error { return operations.Serve(l.Operations) })
	}
	for _, c := range s.companion {
		server := c.server(ctx)
		serve(server, func() error { return server.Serve(c.listener) })
	}
	group.Go(func() error { repeatUntilDone(ctx, sweepInterval, s.deleteExpired); return nil })
	group.Go(func() error { repeatUntilDone(ctx, sweepInterval, s.reloadKeys); return nil })
	group.Go(func() error { s.deliverLogouts(ctx); return nil })
	err := group.Wait()
	s.Log.InfoContext(ctx, "stopped")
	return err
}

// ServeUntilDone serves until the context ends, then lets requests finish.
func ServeUntilDone(ctx context.Context, server *http.Server, l net.Listener) error {
	return serveUntilDone(ctx, server, func() error { return server.Serve(l) })
}

func serveUntilDone(ctx context.Context, server *http.Server, serve func() error) error {
	failed := make(chan error, 1)
	go func() { failed <- serve() }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	return errors.Join(err, server.Shutdown(ctx))
}

func (s *Server) newHTTPServer(h http.Handler) *http.Server {
	l := s.Settings.Limits
	return &http.Server{
		Handler: h, ReadHeaderTimeout: l.Timeout, ReadTimeout: l.Timeout, WriteTimeout: 2 * l.Timeout,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: l.Header, TLSConfig: strictTLS(),
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn),
	}
}

// logStart logs what is served, and warns of pinned keys that are retiring.
func (s *Server) logStart() {
	for _, c := range s.Clients {
		if key, ok := s.Keys.Key(c.PinnedKey); ok && key.State == keys.Retiring {
			s.Log.Warn("pinned key is retiring and signs only for this client; "+
				"paste the active key where it is trusted, then unpin it", "client_id", c.ID, "kid", key.ID)
		}
	}
	if !s.Development {
		s.Log.Info("serving", "issuer", s.Settings.Issuer, "listen", s.Settings.Listen,
			"operations", s.Settings.Operations)
	}
}
