package server

import (
	"context"
	"net/http"
	"time"

	"idpbridge/internal/fetch"
	"idpbridge/keys"
)

const (
	sweepInterval  = time.Minute
	logoutInterval = time.Second      // between two looks at the queue of logouts
	logoutTimeout  = 10 * time.Second // for a client to confirm a logout
)

// workers do the periodic work of a running server. Each one returns when its context
// ends.
func (s *Server) workers() []func(context.Context) {
	all := []func(context.Context){
		func(ctx context.Context) { repeatUntilDone(ctx, sweepInterval, s.deleteExpired) },
		func(ctx context.Context) { repeatUntilDone(ctx, sweepInterval, s.reloadKeys) },
		s.probeDatabase,
		s.deliverLogouts,
	}
	if s.certificate != nil {
		all = append(all, func(ctx context.Context) {
			repeatUntilDone(ctx, certificateInterval, s.reloadCertificate)
		})
	}
	return all
}

// repeatUntilDone does work at each interval until the context ends.
func repeatUntilDone(ctx context.Context, interval time.Duration, work func(context.Context)) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		work(ctx)
	}
}

// deleteExpired removes expired rows from the database.
func (s *Server) deleteExpired(ctx context.Context) {
	if _, err := s.Store.Sweep(ctx, s.Now()); err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "sweep failed", "error", err)
	}
}

// reloadKeys picks up keys that another instance or a command has changed.
func (s *Server) reloadKeys(ctx context.Context) {
	if err := s.Keys.Reload(ctx); err != nil && ctx.Err() == nil {
		s.Log.ErrorContext(ctx, "key reload failed", "error", err)
	}
	s.logKeyChanges(ctx)
}

// logKeyChanges says in the log which signing keys have changed since the last time.
func (s *Server) logKeyChanges(ctx context.Context) {
	before, now := s.keyStates, keyStatesOf(s.Keys)
	for id, state := range now {
		if before[id] != state {
			s.Log.InfoContext(ctx, "signing key changed", "kid", id, "from", string(before[id]), "to", string(state))
		}
	}
	for id, state := range before {
		if now[id] == "" {
			s.Log.InfoContext(ctx, "signing key changed", "kid", id, "from", string(state), "to", "removed")
		}
	}
	s.keyStates = now
}

func keyStatesOf(ring *keys.Ring) map[string]keys.State {
	states := map[string]keys.State{}
	for _, key := range ring.PublicKeys() {
		states[key.ID] = key.State
	}
	return states
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
	notify := func(ctx context.Context) {
		if err := s.provider.NotifyClients(ctx, client); err != nil && ctx.Err() == nil {
			s.Log.ErrorContext(ctx, "logout delivery failed", "error", err)
		}
	}
	notify(ctx)
	repeatUntilDone(ctx, logoutInterval, notify)
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
