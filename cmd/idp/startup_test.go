package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStartFails: if idp dev cannot start, it prints one line, exits with status 1, and
// overwrites nothing.
func TestStartFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, want string
		content    []byte
		mode       os.FileMode
	}{
		"damaged database":   {"idp.db", "is damaged", bytes.Repeat([]byte("not a database"), 100), 0o600},
		"damaged secret":     {"secret", "is damaged", []byte("zz\n"), 0o600},
		"secret open to all": {"secret", "chmod 600", bytes.Repeat([]byte("ab"), 32), 0o644},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			file := filepath.Join(data, c.file)
			require.NoError(t, os.WriteFile(file, c.content, c.mode))
			code, _, text := runCommand(t, "",
				"dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", data)
			require.Equal(t, 1, code)
			require.Contains(t, text, c.want)
			require.Contains(t, text, file)
			require.Equal(t, 1, strings.Count(text, "\n"), text)
			after, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, c.content, after)
		})
	}
	issuer := startDev(t, time.Now)
	code, _, text := runCommand(t, "", "dev", "--simulator", "off",
		"--listen", strings.TrimPrefix(issuer, "http://"), "--operations", "off", "--data", t.TempDir())
	require.Equal(t, 1, code)
	require.Contains(t, text, "address already in use")
	code, _, text = runCommand(t, "",
		"dev", "--simulator", "off", "--listen", "0.0.0.0:0", "--data", t.TempDir())
	require.Equal(t, 1, code)
	require.Contains(t, text, "loopback")
	code, _, _ = runCommand(t, "", "dance")
	require.Equal(t, 2, code)
}

// TestAttack has the rows of the attack table that the command line stops. Most rows are
// in oidc/conformance_test.go.
func TestAttack(t *testing.T) {
	t.Parallel()
	t.Run("91-development-mode-in-production", testDevListensOnLoopback)
}

// testDevListensOnLoopback: idp dev, in which anyone may sign in, listens only on
// loopback.
func testDevListensOnLoopback(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "example.com:0"} {
		code, _, stderr := runCommand(t, "",
			"dev", "--simulator", "off", "--listen", listen, "--operations", "127.0.0.1:0", "--data", t.TempDir())
		require.Equal(t, 1, code, listen)
		require.Contains(t, stderr, "loopback", listen)
	}
}
