package memnet

import (
	"net"
	"testing"
)

// Listen returns a listener for an address, for a server that needs more than Serve
// offers, such as TLS. Connections to the address are refused after it is closed.
func (n *Network) Listen(t testing.TB, address string) net.Listener {
	t.Helper()
	l := &listener{address: address, conns: make(chan net.Conn), closed: make(chan struct{})}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[address] != nil {
		t.Fatalf("memnet: the address %s is in use", address)
	}
	n.listeners[address] = l
	return l
}
