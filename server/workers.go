package server

import (
	"context"
	"net/http"
	"time"

	"idpbridge/internal/fetch"
)

const (
	sweepInterval  = time.Minute
	logoutInterval = time.Second      // between two looks at the queue of logouts
	logoutTimeout  = 10 * time.Second // for a client to confirm a logout
)

// workers are the periodic work of a running server.
func (s *Server) workers() []func(context.Context) {
	all := []func(context.Context){
		func(ctx context.Context) { s.repeat(ctx, sweepInterval, "sweep failed", s.sweep) },
		func(ctx context.Context) { s.repeat(ctx, sweepInterval, "key reload failed", s.Keys.Reload) },
		s.probeDatabase,
		s.deliverLogouts,
	}
	if s.certificate != nil {
		all = append(all, func(ctx context.Context) {
			s.repeat(ctx, certificateInterval, "certificate reload failed; the old one stays", s.reloadCertificate)
		})
	}
	return all
}

// repeat does work at each interval until the context ends, and logs its errors.
func (s *Server) repeat(
	ctx context.Context, interval time.Duration, failure string, work func(context.Context) error,
) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := work(ctx); err != nil && ctx.Err() == nil {
			//nolint:sloglint // every caller passes a constant; a test holds them against the runbook
			s.Log.ErrorContext(ctx, failure, "error", err)
		}
	}
}

// sweep removes expired rows.
func (s *Server) sweep(ctx context.Context) error {
	_, err := s.Store.Sweep(ctx, s.Now())
	return err
}

// deliverLogouts notifies clients of ended sessions until the context ends. What is
// left in the queue is delivered after the next start, or by another instance.
func (s *Server) deliverLogouts(ctx context.Context) {
	transport := fetch.NewTransport()
	transport.Proxy = http.ProxyFromEnvironment
	defer transport.CloseIdleConnections()
	// Not a fetch.Client: a client has confirmed a logout once its status is read, even
	// if its body is too large or breaks off.
	client := &http.Client{Transport: transport, Timeout: logoutTimeout, CheckRedirect: fetch.CheckRedirect(0)}
	s.repeat(ctx, logoutInterval, "logout delivery failed", func(ctx context.Context) error {
		return s.provider.NotifyClients(ctx, client)
	})
}

// countPendingLogouts is the length of the queue, for metrics; -1 if unknown.
func (s *Server) countPendingLogouts() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, err := s.Store.PendingLogouts(ctx)
	if err != nil {
		return -1
	}
	return float64(n)
}
