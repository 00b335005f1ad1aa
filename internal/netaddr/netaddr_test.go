package netaddr_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/netaddr"
)

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"} {
		require.True(t, netaddr.IsLoopback(host), host)
		require.True(t, netaddr.IsLoopbackIP(host), host)
	}
	for _, host := range []string{
		"", "0.0.0.0", "::", "192.0.2.1", "[::1]", "127.0.0.1:80", "127.1", "::1%lo", "localhost.example", "LOCALHOST",
		"127.0.0.1.example", "localhost.",
	} {
		require.False(t, netaddr.IsLoopback(host), host)
		require.False(t, netaddr.IsLoopbackIP(host), host)
	}
	require.True(t, netaddr.IsLoopback("localhost"))
	require.False(t, netaddr.IsLoopbackIP("localhost"), "a name depends on the resolver")
}
