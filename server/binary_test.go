package server_test

import (
	"bufio"
	"context"
	"fmt"
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

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/robot"
	"idpbridge/server/servertest"
)

// binary is the program, built once for all tests of this package.
//
//nolint:gochecknoglobals // one build for all tests
var binary struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if binary.folder != "" {
		_ = os.RemoveAll(binary.folder)
	}
	os.Exit(code)
}

// buildBinary builds the program and returns its file. With -short, the test is skipped.
func buildBinary(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program")
	}
	binary.once.Do(func() {
		//nolint:usetesting // all tests use the folder; TestMain removes it
		if binary.folder, binary.err = os.MkdirTemp("", "idp-server-test"); binary.err != nil {
			return
		}
		// Without symbols it links in half the time.
		build := exec.Command("go", "build", "-ldflags=-s -w", "-o", binary.folder, "idpbridge/cmd/idp")
		if out, err := build.CombinedOutput(); err != nil {
			binary.err = fmt.Errorf("build the program: %w\n%s", err, out)
		}
	})
	require.NoError(t, binary.err)
	return filepath.Join(binary.folder, "idp")
}

// startBinary starts idp dev in another process.
func startBinary(t testing.TB, program string, args ...string) (cmd *exec.Cmd, issuer, operations string) {
	t.Helper()
	cmd = exec.Command(program, append([]string{"dev", "--simulator", "off", "--operations", "127.0.0.1:0"}, args...)...)
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

// TestKillLosesNothing kills the program under load. After a restart the key and the
// session are the same, and codes that were redeemed before cannot be redeemed again.
func TestKillLosesNothing(t *testing.T) {
	t.Parallel()
	program, data := buildBinary(t), t.TempDir()
	cmd, issuer, _ := startBinary(t, program, "--listen", "127.0.0.1:0", "--data", data)
	listen := strings.TrimPrefix(issuer, "http://")
	b := servertest.NewBrowser(t)
	b.SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	keys := b.Get(issuer + "/jwks").Body

	var mu sync.Mutex
	var redeemed []string
	var workers sync.WaitGroup
	enough := make(chan struct{})
	for range 4 {
		workers.Go(func() {
			for {
				code, ok := redeemCode(b.Browser, issuer)
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

	_, issuer, _ = startBinary(t, program, "--listen", listen, "--data", data)
	require.Equal(t, keys, b.Get(issuer+"/jwks").Body)
	require.NotEmpty(t, b.Authorize(servertest.AuthorizeURL(issuer, "prompt", "none")).Get("code"),
		"the session must still be open")
	for _, code := range redeemed {
		status, _ := servertest.RequestTokens(t, issuer, code)
		require.Equal(t, 400, status)
	}
}

// redeemCode gets and redeems a code. It returns false if the server does not respond.
func redeemCode(b *robot.Browser, issuer string) (code string, ok bool) {
	ctx := context.Background()
	p, err := b.Get(ctx, servertest.AuthorizeURL(issuer))
	if err != nil {
		return "", false
	}
	response, ok := p.AuthorizationResponse(servertest.LocalCallback)
	if !ok {
		return "", false
	}
	code = response.Get("code")
	form := url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"local-web"}, "client_secret": {dev.LocalWebSecret},
		"redirect_uri": {servertest.LocalCallback}, "code": {code},
	}
	p, err = b.Post(ctx, issuer+"/token", form)
	return code, err == nil && p.Status == http.StatusOK
}

// TestTermStopsServer: SIGTERM ends the program with status 0.
func TestTermStopsServer(t *testing.T) {
	t.Parallel()
	cmd, issuer, _ := startBinary(t, buildBinary(t), "--listen", "127.0.0.1:0", "--data", t.TempDir())
	servertest.NewBrowser(t).SignIn(servertest.AuthorizeURL(issuer), "jane", "jane-password")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, cmd.Wait())
}
