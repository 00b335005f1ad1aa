package server_test

import (
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server"
)

// TestListenOnSaysWhy: the hint fits the cause.
func TestListenOnSaysWhy(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	for address, want := range map[string]string{
		taken.Addr().String(): "address already in use; is another program, or another idp, using it?",
		"192.0.2.1:8080":      "cannot assign requested address; this machine does not have that address",
		"nowhere.invalid:80":  "; use an IP address, or a name that this machine can resolve",
	} {
		_, err := server.ListenOn(t.Context(), "listen", address)
		require.ErrorContains(t, err, "listen "+address+": ")
		require.ErrorContains(t, err, want)
		if address != taken.Addr().String() {
			require.NotContains(t, err.Error(), "another program")
		}
	}
}

// TestHintWithoutPermission: root may listen on every port, so the error is made here.
func TestHintWithoutPermission(t *testing.T) {
	t.Parallel()
	require.Contains(t, server.HintListen(os.NewSyscallError("bind", syscall.EACCES)), "CAP_NET_BIND_SERVICE")
}
