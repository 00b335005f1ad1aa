package server

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"idpbridge/config"
	"idpbridge/keys"
	"idpbridge/liveengage"
)

// shutdownGrace is how long requests may finish after the context has ended.
const shutdownGrace = 20 * time.Second

// Listeners are the ports of a server. Operations and Health are nil if they are switched
// off.
type Listeners struct{ Public, Operations, Health net.Listener }

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
	for _, more := range []struct {
		name     string
		address  *string
		listener *net.Listener
	}{{"operations", &settings.Operations, &l.Operations}, {"health", &settings.Health, &l.Health}} {
		if *more.address == "off" {
			continue
		}
		if *more.listener, err = ListenOn(ctx, more.name, *more.address); err != nil {
			return nil, errors.Join(err, l.Close())
		}
		*more.address = (*more.listener).Addr().String()
	}
	return l, nil
}

// ListenOn listens on host:port. Its error names the setting.
func ListenOn(ctx context.Context, setting, address string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w%s", setting, address, errors.Unwrap(err), hintListen(err))
	}
	return l, nil
}

// hintListen says what to do about an error of listening.
func hintListen(err error) string {
	for cause, hint := range map[syscall.Errno]string{
		syscall.EADDRINUSE:    "is another program, or another idp, using it?",
		syscall.EACCES:        "this user may not listen there; use a port from 1024 on, or grant CAP_NET_BIND_SERVICE",
		syscall.EPERM:         "the system forbids it to this user; use another port",
		syscall.EADDRNOTAVAIL: "this machine does not have that address; use one that it has, or 0.0.0.0 for all",
	} {
		if errors.Is(err, cause) {
			return "; " + hint
		}
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "; use an IP address, or a name that this machine can resolve"
	}
	return ""
}

// Close closes the listeners.
func (l *Listeners) Close() error {
	err := l.Public.Close()
	for _, more := range []net.Listener{l.Operations, l.Health} {
		if more != nil {
			err = errors.Join(err, more.Close())
		}
	}
	return err
}

// Run serves until the context ends. Then it reports that it is not ready, still serves
// for the shutdown delay, so that load balancers notice, and lets requests finish.
func (s *Server) Run(ctx context.Context, l *Listeners) error {
	s.logStart()
	group, running := errgroup.WithContext(ctx)
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServing()
	group.Go(func() error {
		defer stopServing()
		<-running.Done()
		s.readiness.stopping.Store(true)
		if ctx.Err() != nil { // a stop that was asked for, not a failure
			<-time.After(s.Settings.ShutdownDelay)
		}
		return nil
	})
	serve := func(server *http.Server, serve func() error) {
		group.Go(func() error { return serveUntilDone(serving, server, serve) })
	}
	public := s.newHTTPServer(s.Handler())
	serve(public, func() error {
		if s.certificate == nil {
			return public.Serve(l.Public)
		}
		public.TLSConfig = s.certificate.config()
		return public.ServeTLS(l.Public, "", "")
	})
	if l.Operations != nil {
		operations := s.newHTTPServer(s.OperationsHandler())
		serve(operations, func() error { return operations.Serve(l.Operations) })
	}
	if l.Health != nil {
		health := s.newHTTPServer(s.HealthHandler())
		serve(health, func() error { return health.Serve(l.Health) })
	}
	for _, c := range s.companion {
		server := c.server(running)
		serve(server, func() error { return server.Serve(c.listener) })
	}
	for _, start := range s.workers() {
		group.Go(func() error { start(running); return nil })
	}
	err := group.Wait()
	s.Log.InfoContext(context.WithoutCancel(ctx), "stopped")
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
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: l.Header,
		ErrorLog: log.New(httpLog{s.Log}, "", 0),
	}
}

// httpLog logs what Go's HTTP server says. Every caller can cause it, with a broken
// handshake for example.
type httpLog struct{ log *slog.Logger }

func (l httpLog) Write(line []byte) (int, error) {
	l.log.Info("http server", "error", cutValue(strings.TrimSpace(string(line))))
	return len(line), nil
}

// logStart logs what is served, and warns of pinned keys that are retiring.
func (s *Server) logStart() {
	for _, c := range s.Clients {
		if key, ok := s.Keys.Key(c.PinnedKey); ok && key.State == keys.Retiring {
			s.Log.Warn("pinned key is retiring and signs only for this client; "+
				"paste the active key where it is trusted, then unpin it", "client_id", c.ID, "kid", key.ID)
		}
	}
	for _, c := range s.Clients {
		if l := c.LiveEngage; l != nil && l.Account == "" && slices.ContainsFunc(c.RedirectURIs, liveengage.IsWindowURI) {
			s.Log.Warn("any LiveEngage account can receive this client's tokens in LivePerson's window; "+
				"set liveengage.account, and use the code flow", "client_id", c.ID)
		}
	}
	if !s.Development {
		s.Log.Info("serving", "issuer", s.Settings.Issuer, "listen", s.Settings.Listen,
			"operations", s.Settings.Operations)
	}
}
