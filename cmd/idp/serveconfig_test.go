package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/server/servertest"
)

// serveConfigWith runs idp serve with the configuration in a folder and an environment
// until the test ends.
func serveConfigWith(t testing.TB, now func() time.Time, getenv func(string) string, folder string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	log := &servertest.Log{}
	p := &process{stdin: strings.NewReader(""), stdout: log, stderr: log, getenv: getenv, now: now}
	done := make(chan int, 1)
	go func() { done <- run(ctx, p, []string{"serve", "--config", filepath.Join(folder, "idp.yaml")}) }()
	t.Cleanup(func() {
		cancel()
		require.Equal(t, 0, <-done, log.String())
	})
	require.Eventually(t, func() bool { return strings.Contains(log.String(), `"serving"`) }, 2*time.Minute,
		10*time.Millisecond, log.String())
}
