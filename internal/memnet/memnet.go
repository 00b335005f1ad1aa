// Package memnet is a network in memory for tests. Its connections also work in a
// testing/synctest bubble: a read that waits for data there lets the fake clock
// advance, which a read from a real socket does not.
package memnet

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
)

// Network connects clients to servers by address.
type Network struct {
	transport *http.Transport

	mu        sync.Mutex
	listeners map[string]*listener
}

// New returns a network without servers. Its idle connections are closed when the
// test ends.
func New(t testing.TB) *Network {
	n := &Network{listeners: map[string]*listener{}}
	n.transport = &http.Transport{DialContext: n.DialContext}
	t.Cleanup(n.transport.CloseIdleConnections)
	return n
}

// Serve serves a handler at an address such as 127.0.0.1:1 until stop is called or the
// test ends. Afterwards connections to the address are refused.
func (n *Network) Serve(t testing.TB, address string, handler http.Handler) (stop func()) {
	t.Helper()
	//nolint:gosec // a server for tests needs no timeouts
	return n.Start(t, address, &http.Server{Handler: handler})
}

// Start is Serve for a server with its own settings.
func (n *Network) Start(t testing.TB, address string, server *http.Server) (stop func()) {
	t.Helper()
	l := n.Listen(t, address)
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(l) })
	stop = sync.OnceFunc(func() {
		n.transport.CloseIdleConnections()
		_ = server.Close()
		group.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// Transport returns the transport of all clients.
func (n *Network) Transport() *http.Transport { return n.transport }

// Client returns an HTTP client that follows no redirects.
func (n *Network) Client() *http.Client {
	return &http.Client{
		Transport:     n.transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// DialContext connects to an address. If nothing is served there, it returns
// syscall.ECONNREFUSED.
func (n *Network) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[address]
	n.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	if l == nil {
		return nil, refused
	}
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type listener struct {
	address string
	conns   chan net.Conn
	once    sync.Once
	closed  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return address(l.address) }

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }
