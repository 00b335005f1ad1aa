package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLiveengageLogin(t *testing.T) {
	t.Parallel()
	s := startFakeServices(t, "", 1)
	login := []string{"login", "--domains", s.server.URL, "--account", "12345678", "--user", "ann"}
	password := map[string]string{"IDP_LP_PASSWORD": fakePassword}

	code, stdout, stderr := runLiveengage(t, password, "", login...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, "480 minutes")
	require.NotContains(t, stdout+stderr, fakeBearer)
	require.Equal(t, "POST /api/account/12345678/logout", s.lastRequest())
	require.True(t, strings.HasSuffix(s.allBodies(), "\n"+`{"csrf":"c"}`), s.allBodies())

	code, stdout, _ = runLiveengage(t, nil, fakePassword+"\n", append(login, "--show-bearer", "--json")...)
	require.Equal(t, 0, code)
	require.Contains(t, stdout, fakeBearer)
	require.Equal(t, "POST /api/account/12345678/login", s.lastRequest(), "the session stays open")

	before := s.countRequests()
	wrong := map[string]string{"IDP_LP_PASSWORD": "not-that"}
	code, _, stderr = runLiveengage(t, wrong, "", login...)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "check the user name and password")
	require.NotContains(t, stderr, "not-that")
	require.Equal(t, before+2, s.countRequests(), "domains and one login, which is not retried")
}

// TestLiveengageLoginKeepAlive: a session that is kept alive is closed at an interrupt.
func TestLiveengageLoginKeepAlive(t *testing.T) {
	t.Parallel()
	s := startFakeServices(t, "", 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &interruptingBuffer{at: "bot", interrupt: cancel}
	p := &process{
		stdin:  strings.NewReader(""),
		stdout: out,
		stderr: io.Discard,
		getenv: func(string) string { return "" },
		now:    time.Now,
	}
	code := run(ctx, p, []string{
		"liveengage", "login", "--domains", s.server.URL, "--account", "12345678",
		"--user", "bot", "--key", writeAPIKey(t), "--keep-alive",
	})
	require.Equal(t, 0, code)
	require.Contains(t, out.String(), "480 minutes")
	require.Equal(t, "POST /api/account/12345678/logout", s.lastRequest())
}

func TestLiveengageUsers(t *testing.T) {
	t.Parallel()
	s := startFakeServices(t, "", 1)
	users := []string{"users", "--domains", s.server.URL, "--account", "12345678"}
	password := map[string]string{"IDP_LP_PASSWORD": fakePassword}
	code, stdout, stderr := runLiveengage(t, password, "", append(users, "--user", "ann")...)
	require.Equal(t, 0, code, stderr)
	require.Regexp(t, `7 +ann +Ann Agent`, stdout)
	code, stdout, stderr = runLiveengage(t, nil, "", append(users, "--key", writeAPIKey(t), "--json")...)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, `"loginName": "ann"`)
	require.Equal(t, "GET /api/account/12345678/configuration/le-users/users", s.lastRequest(), "a key needs no login")
}

// TestLiveengageLoginUnknownAccount: the hint is about the Domain API, which does not
// know the account, and not about the password.
func TestLiveengageLoginUnknownAccount(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"error":{"message":"There is no such account."}}`)
	}))
	defer server.Close()
	password := map[string]string{"IDP_LP_PASSWORD": "p"}
	for _, command := range []string{"login", "users"} {
		code, _, stderr := runLiveengage(t, password, "",
			command, "--domains", server.URL, "--account", "99", "--user", "ann")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "There is no such account; "+
			"the Domain API rejected the request before the login; check --account and --domains")
		require.Contains(t, stderr, `service=domains request="GET /api/account/99/service/baseURI.json"`)
		require.NotContains(t, stderr, "name and password")
		require.NotContains(t, stderr, "agentVep")
	}
}

// writeAPIKey writes a file for --key.
func writeAPIKey(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.json")
	key := `{"appKey":"a","secret":"b","accessToken":"c","accessTokenSecret":"d"}`
	require.NoError(t, os.WriteFile(file, []byte(key), 0o600))
	return file
}

// interruptingBuffer interrupts a command that writes a text.
type interruptingBuffer struct {
	bytes.Buffer

	at        string
	interrupt func()
}

func (b *interruptingBuffer) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(b.at)) {
		b.interrupt()
	}
	return b.Buffer.Write(p)
}
