package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// TestAttack has the rows of the attack table that need the program itself. Most rows
// are in oidc/conformance_test.go.
func TestAttack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		test func(*testing.T)
	}{
		{"20-plain-http", notBehindThatProxy},
		{"20-old-tls", tlsFromFiles},
		{"21-proxy-headers", behindAProxy},
		{"90-storage-flood", storageFlood},
		{"91-development-mode-in-production", developmentInProduction},
	} {
		t.Run(row.name, row.test)
	}
}

// developmentInProduction: what the development mode adds is not there, and the
// development mode itself starts on loopback alone.
func developmentInProduction(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	client := &http.Client{Transport: s.Target.HTTP}
	for _, path := range []string{"/setup", "/try", "/cb", "/metrics", "/healthz"} {
		res, err := client.Get(s.Issuer + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		code, text := runFailing(t, "dev", "--simulator", "off", "--listen", listen, "--operations", "127.0.0.1:0", "--data",
			t.TempDir())
		require.Equal(t, 1, code, listen)
		require.Contains(t, text, "loopback", listen)
	}
}
