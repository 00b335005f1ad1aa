package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

// oneKey stores the only key of a ring.
type oneKey struct {
	keys.Store

	records []keys.Record
}

func (o *oneKey) Keys(context.Context) ([]keys.Record, error) { return o.records, nil }

func (o *oneKey) AddKey(_ context.Context, r keys.Record) (bool, error) {
	o.records = append(o.records, r)
	return true, nil
}

func (o *oneKey) KeyStates(context.Context) (map[string]keys.State, error) {
	states := map[string]keys.State{}
	for _, r := range o.records {
		states[r.ID] = r.State
	}
	return states, nil
}

// queue is a queue of logouts in memory.
type queue struct {
	Logouts

	mu  sync.Mutex
	due map[Logout]time.Time // by the logout as it was queued: Tries is 0
}

func (q *queue) TakeLogouts(_ context.Context, at, until time.Time, limit int) (out []Logout, err error) {
	for l, next := range q.due {
		if len(out) < limit && !next.After(at) {
			q.due[l] = until
			l.Tries = 1
			out = append(out, l)
		}
	}
	return out, nil
}

func (q *queue) PostponeLogout(_ context.Context, l Logout, until time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.Tries = 0
	q.due[l] = until
	return nil
}

func (q *queue) DropLogout(_ context.Context, l Logout) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.Tries = 0
	delete(q.due, l)
	return nil
}

// transport responds for every host except dead.example, and counts the requests.
type transport struct {
	mu       sync.Mutex
	requests map[string]int
}

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests[r.URL.Host]++
	if r.URL.Host == "dead.example" {
		return nil, errors.New("no response")
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(""))}, nil
}

// TestSilentClientDoesNotDelayOthers: a client that does not respond is notified once,
// however many logouts it has, and again after a minute. The others are notified at once.
func TestSilentClientDoesNotDelayOthers(t *testing.T) {
	t.Parallel()
	now := time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC)
	clock := func() time.Time { return now }
	ring, err := keys.Open(t.Context(), keys.Config{
		Store: &oneKey{}, Secret: keys.NewSecret(make([]byte, 32)), Algorithms: []string{"ES256"}, Now: clock,
	})
	require.NoError(t, err)
	q := &queue{due: map[Logout]time.Time{}}
	p := &Provider{
		issuer: "https://login.example", logouts: q, now: clock, log: slog.New(slog.DiscardHandler),
		tokens: tokenIssuer{keys: ring, now: clock}, events: func(string, string) {},
		silentUntil: map[string]time.Time{}, clients: map[string]*Client{
			"dead": {ID: "dead", Algorithm: "ES256", BackchannelLogoutURI: "https://dead.example/out"},
			"well": {ID: "well", Algorithm: "ES256", BackchannelLogoutURI: "https://well.example/out"},
		},
	}
	for i := range 400 {
		q.due[Logout{SessionID: fmt.Sprint(i), ClientID: "dead", Created: now}] = now
	}
	for i := range 40 {
		q.due[Logout{SessionID: fmt.Sprint(i), ClientID: "well", Created: now}] = now
	}
	network := &transport{requests: map[string]int{}}
	client := &http.Client{Transport: network}
	require.NoError(t, p.NotifyClients(t.Context(), client))
	require.Equal(t, map[string]int{"dead.example": 1, "well.example": 40}, network.requests)
	require.Len(t, q.due, 400)
	now = now.Add(logoutSilence / 2)
	require.NoError(t, p.NotifyClients(t.Context(), client))
	require.Equal(t, 1, network.requests["dead.example"])
	now = now.Add(logoutSilence)
	require.NoError(t, p.NotifyClients(t.Context(), client))
	require.Equal(t, 2, network.requests["dead.example"])
}
