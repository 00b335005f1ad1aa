package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// buildIDP builds the real binary.
func buildIDP(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "idp")
	out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return binary
}

// startBinary starts idp dev as a process of its own.
func startBinary(t testing.TB, binary string, args ...string) (cmd *exec.Cmd, issuer, operations string) {
	t.Helper()
	cmd = exec.Command(binary, append([]string{"dev", "--simulator", "off", "--operations", "127.0.0.1:0"}, args...)...)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewReader(out)
	for operations == "" {
		line, err := lines.ReadString('\n')
		require.NoError(t, err)
		if _, after, ok := strings.Cut(line, "ready at "); ok {
			issuer = strings.TrimSpace(after)
		}
		if _, after, ok := strings.Cut(line, "Operations:"); ok {
			operations = strings.TrimSuffix(strings.TrimSpace(after), "/metrics")
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return cmd, issuer, operations
}

// TestKillLosesNothing kills the real binary in the middle of load. Afterwards
// key and session are the same, and no code that was redeemed before can be
// redeemed again.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	binary, data := buildIDP(t), t.TempDir()
	cmd, issuer, _ := startBinary(t, binary, "--listen", "127.0.0.1:0", "--data", data)
	address := strings.TrimPrefix(issuer, "http://")
	b := newBrowser(t)
	b.signIn(issuer, webRequest(issuer), "jane", "jane-password")
	keys := b.get(issuer + "/jwks").body

	var mu sync.Mutex
	var redeemed []string
	var workers sync.WaitGroup
	enough := make(chan struct{})
	for range 4 {
		workers.Go(func() {
			for {
				code, ok := try(b, issuer)
				if !ok {
					return
				}
				mu.Lock()
				redeemed = append(redeemed, code)
				if len(redeemed) == 100 {
					close(enough)
				}
				mu.Unlock()
			}
		})
	}
	<-enough
	require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
	_ = cmd.Wait()
	workers.Wait()

	_, issuer, _ = startBinary(t, binary, "--listen", address, "--data", data)
	require.Equal(t, keys, b.get(issuer+"/jwks").body)
	require.NotEmpty(t, b.get(webRequest(issuer, "prompt", "none")).answer(t).Get("code"), "the session must live on")
	for _, code := range redeemed {
		status, _ := redeem(t, issuer, code)
		require.Equal(t, 400, status)
	}
}

// try redeems one code; false once the server is gone.
func try(b *browser, issuer string) (code string, ok bool) {
	p, err := b.client.Get(b.t.Context(), webRequest(issuer))
	if err != nil {
		return "", false
	}
	response, ok := p.AuthorizationResponse(localCallback)
	if !ok {
		return "", false
	}
	code = response.Get("code")
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"local-web"}, "client_secret": {dev.LocalWebSecret},
		"redirect_uri": {localCallback}, "code": {code},
	}
	answer, err := b.client.Post(b.t.Context(), issuer+"/token", form)
	return code, err == nil && answer.Status == http.StatusOK
}

// TestStartRefusals: one clear line, exit status 1, and nothing overwritten.
func TestStartRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, says string
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
			code, text := runFailing(t, "dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", data)
			require.Equal(t, 1, code)
			require.Contains(t, text, c.says)
			require.Contains(t, text, file)
			require.Equal(t, 1, strings.Count(text, "\n"), text)
			after, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, c.content, after)
		})
	}
	issuer := startDev(t, time.Now)
	code, text := runFailing(t, "dev", "--simulator", "off", "--listen", strings.TrimPrefix(issuer, "http://"), "--operations", "off", "--data", t.TempDir())
	require.Equal(t, 1, code)
	require.Contains(t, text, "address already in use")
	code, text = runFailing(t, "dev", "--simulator", "off", "--listen", "0.0.0.0:0", "--data", t.TempDir())
	require.Equal(t, 1, code)
	require.Contains(t, text, "loopback")
	code, _ = runFailing(t, "dance")
	require.Equal(t, 2, code)
}

// runFailing runs a command that ends by itself.
func runFailing(t testing.TB, args ...string) (code int, stderr string) {
	t.Helper()
	var text lockedBuffer
	code = run(context.Background(), &process{stdin: strings.NewReader(""), stdout: io.Discard, stderr: &text, getenv: os.Getenv, now: time.Now}, args)
	return code, text.String()
}

// TestTermFinishesRequests: SIGTERM ends the binary with status 0.
func TestTermFinishesRequests(t *testing.T) {
	t.Parallel()
	cmd, issuer, _ := startBinary(t, buildIDP(t), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	newBrowser(t).signIn(issuer, webRequest(issuer), "jane", "jane-password")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}
