package main

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"
)

const (
	logoutTimeout = 10 * time.Second // for a client to confirm a logout
	logoutEvery   = time.Second      // how often the queue is looked at
)

// tellClients keeps telling clients of sessions that have ended, until the
// context ends. What is then left in the queue is told after the next start, or
// by another instance.
func (in *instance) tellClients(ctx context.Context) {
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment, // where the way out is a proxy
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 4,
		IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	client := &http.Client{
		Transport: transport, Timeout: logoutTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	tick := time.NewTicker(logoutEvery)
	defer tick.Stop()
	for {
		if err := in.provider.TellClients(ctx, client); err != nil && ctx.Err() == nil {
			in.log.ErrorContext(ctx, "logouts not delivered", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// waitingLogouts is the length of the queue, for metrics; -1 where nobody can tell.
func (in *instance) waitingLogouts() float64 {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	n, err := in.store.PendingLogouts(ctx)
	if err != nil {
		return -1
	}
	return float64(n)
}
