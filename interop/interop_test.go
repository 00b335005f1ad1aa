// Package interop signs in with the clients of others, each as its makers ship it. The tests
// download these clients, so they run only with IDP_INTEROP=1, as make interop-all sets it.
// docs/clients.md lists the results.
package interop_test

import (
	"context"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/chrome"
	"idpbridge/internal/secret"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// clientSecret is the secret of every client in these tests.
const clientSecret = "interop-secret-0123456789abcdef0123456789"

func TestMain(m *testing.M) {
	if os.Getenv("IDP_INTEROP") != "1" {
		fmt.Println("skipped: these tests download third-party clients; set IDP_INTEROP=1, as make interop-all does")
		return
	}
	os.Exit(m.Run())
}

// startIDP runs a server with one more client and returns its issuer.
func startIDP(t *testing.T, client oidc.Client) string {
	t.Helper()
	client.Name = "The client"
	return servertest.Start(t, func(c *server.Config) { c.Clients = append(c.Clients, client) }).Issuer
}

// confidential returns a client with a secret.
func confidential(id string, redirectURIs ...string) oidc.Client {
	return oidc.Client{
		ID: id, Secret: secret.New(clientSecret), RedirectURIs: redirectURIs,
		Scopes: []string{"openid", "profile", "email", "offline_access"},
	}
}

// startApp runs a website that shows the query of every request.
func startApp(t *testing.T) string {
	t.Helper()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, "<!doctype html><title>App</title><h1 id=app>back in the app</h1><p id=query>%s</p>",
			html.EscapeString(r.URL.RawQuery))
	}))
	t.Cleanup(app.Close)
	return app.URL
}

// freePort returns a port of 127.0.0.1 that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	_, port, err := net.SplitHostPort(servertest.FreeAddress(t))
	require.NoError(t, err)
	return port
}

// run runs a program to its end and requires that it succeeds.
func run(t *testing.T, folder, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), output)
}

// start runs a program until the test ends, and returns when it accepts connections.
func start(t *testing.T, address, folder string, env []string, name string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, append(os.Environ(), env...), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	require.NoError(t, cmd.Start())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-ended
		require.NoError(t, log.Close())
		if t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("%s said: %s", name, text[max(0, len(text)-5000):])
		}
	})
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			require.NoError(t, conn.Close())
			return
		}
		select {
		case <-ended:
			require.Fail(t, name+" has ended")
		case <-t.Context().Done():
			require.NoError(t, t.Context().Err())
		case <-tick.C:
		}
	}
}

// signInJane opens a page of a client in a new browser and signs jane in.
func signInJane(t *testing.T, url string) context.Context {
	t.Helper()
	ctx := chrome.Start(t)
	chrome.Open(ctx, t, url)
	chrome.SignIn(ctx, t, "jane", "jane-password")
	return ctx
}

// cacheFolder is where downloaded clients are kept between runs.
func cacheFolder(t *testing.T, name string) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	folder := filepath.Join(cache, "idp-interop", name)
	require.NoError(t, os.MkdirAll(folder, 0o700))
	return folder
}
