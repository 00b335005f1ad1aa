package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// TestMain runs the tests, or main if a script runs the test binary as idp.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"idp": main})
}

// startDev runs idp dev in this process, as main does, and returns its issuer.
func startDev(t testing.TB, now func() time.Time, args ...string) string {
	t.Helper()
	return startIDP(t, now, append([]string{
		"dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "off", "--data", t.TempDir(),
	}, args...)...)
}

// startIDP runs a command until the test ends and returns the URL at which it says that
// it is ready.
func startIDP(t testing.TB, now func() time.Time, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	log := &servertest.Log{}
	p := &process{stdin: strings.NewReader(""), stdout: in, stderr: log, getenv: os.Getenv, now: now}
	done := make(chan int, 1)
	go func() {
		code := run(ctx, p, args)
		_ = in.Close()
		done <- code
	}()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, 0, <-done, log.String())
	})
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		require.NoError(t, err, log.String())
		if _, after, ok := strings.Cut(line, "ready at "); ok {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return strings.Fields(after)[0]
		}
	}
}
