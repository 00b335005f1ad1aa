package conformance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Receiver receives back-channel logout requests for the clients, at the path
// /backchannel/CLIENT. It responds with 200 and keeps the requests.
type Receiver struct {
	server *http.Server
	done   chan struct{}

	mu      sync.Mutex
	got     []Received
	arrived chan struct{} // closed and replaced when a request arrives
}

// Received is a request that a Receiver got.
type Received struct {
	Path        string
	Method      string
	ContentType string // content type
	Form        url.Values
}

// NewReceiver serves on a listener until Close. The Receiver owns the listener.
func NewReceiver(l net.Listener) *Receiver {
	r := &Receiver{done: make(chan struct{}), arrived: make(chan struct{})}
	r.server = &http.Server{Handler: http.HandlerFunc(r.handleLogout), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		defer close(r.done)
		_ = r.server.Serve(l)
	}()
	return r
}

// Close stops the Receiver.
func (r *Receiver) Close() error {
	err := r.server.Close()
	<-r.done
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (r *Receiver) handleLogout(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<16))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.mu.Lock()
	r.got = append(r.got,
		Received{Path: req.URL.Path, Method: req.Method, ContentType: req.Header.Get("Content-Type"), Form: form})
	close(r.arrived)
	r.arrived = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(http.StatusOK)
}

// Await returns the first request that matches, whether it has arrived already
// or arrives within the limit. The limit is in real time.
func (r *Receiver) Await(ctx context.Context, limit time.Duration, fits func(Received) bool) (Received, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for {
		r.mu.Lock()
		for _, got := range r.got {
			if fits(got) {
				r.mu.Unlock()
				return got, nil
			}
		}
		arrived := r.arrived
		r.mu.Unlock()
		select {
		case <-arrived:
		case <-ctx.Done():
			return Received{}, fmt.Errorf("nothing arrived within %s", limit)
		}
	}
}
