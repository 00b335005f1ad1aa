package main

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serveConfig runs idp serve with the configuration in a folder until the test
// ends, and returns its log.
func serveConfig(t testing.TB, now func() time.Time, folder string) *lockedBuffer {
	t.Helper()
	return serveConfigWith(t, now, os.Getenv, folder)
}

// serveConfigWith is serveConfig with an environment of its own.
func serveConfigWith(t testing.TB, now func() time.Time, getenv func(string) string, folder string) *lockedBuffer {
	t.Helper()
	log, _ := stoppable(t, now, getenv, folder)
	return log
}

// stoppable is serveConfigWith for a server that the test may stop before its end.
func stoppable(
	t testing.TB, now func() time.Time, getenv func(string) string, folder string,
) (log *lockedBuffer, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log = &lockedBuffer{}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, &process{stdin: strings.NewReader(""), stdout: log, stderr: log, getenv: getenv, now: now},
			[]string{"serve", "--config", filepath.Join(folder, "idp.yaml")})
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		require.Equal(t, 0, <-done, log.String())
	})
	t.Cleanup(stop)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `"serving"`) }, 20*time.Second,
		10*time.Millisecond, log.String())
	return log, stop
}

// freeAddress is a loopback address whose port was free a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	probe, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, probe.Close())
	return probe.Addr().String()
}
