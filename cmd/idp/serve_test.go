package main

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// command runs a command to its end.
func command(t testing.TB, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return withEnv(t, map[string]string{"LIVEENGAGE_SECRET": strings.Repeat("s", 40)}, stdin, args...)
}

// withEnv runs a command to its end in an environment of its own.
func withEnv(t testing.TB, env map[string]string, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(context.Background(), &process{
		stdin: strings.NewReader(stdin), stdout: &out, stderr: &errs, now: time.Now, getenv: func(name string) string { return env[name] },
	}, args)
	return code, out.String(), errs.String()
}

// TestServe runs what a configuration file describes: its own people, none of
// the development mode's, keys that a command shows.
func TestServe(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	code, hash, stderr := command(t, "correct horse\n", "people", "hash")
	require.Equal(t, 0, code, stderr)
	people := filepath.Join(folder, "people.yaml")
	require.NoError(t, os.WriteFile(people, []byte("people:\n  - username: Ann\n    password_hash: "+hash+"    sub: 0123456789abcdef\n"), 0o600))

	address := freeAddress(t)
	file := filepath.Join(folder, "idp.yaml")
	require.NoError(t, os.WriteFile(file, []byte(`issuer: http://`+address+`
listen: `+address+`
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - id: local-web
    name: Shop
    secret: `+dev.LocalWebSecret+`
    application_type: native
    redirect_uris: ["http://127.0.0.1/cb"]
`), 0o600))
	code, stdout, stderr := command(t, "", "config", "check", file)
	require.Equal(t, 0, code, stderr)
	require.Contains(t, stdout, "is valid")

	log := serveConfig(t, time.Now, folder)
	issuer := "http://" + address

	b := newBrowser(t)
	require.Equal(t, http.StatusUnprocessableEntity, b.signIn(issuer, webRequest(issuer), "jane", "jane-password").status)
	require.NotContains(t, b.get(webRequest(issuer)).body, "Development")
	code2 := b.signIn(issuer, webRequest(issuer), "ann", "correct horse").answer(t).Get("code")
	form := strings.NewReader("grant_type=authorization_code&redirect_uri=" + localCallback + "&code=" + code2)
	r, err := http.NewRequest(http.MethodPost, issuer+"/token", form)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("local-web", dev.LocalWebSecret)
	require.Equal(t, 200, b.do(r).status)
	require.Equal(t, http.StatusNotFound, b.get(issuer+"/").status)
	require.Equal(t, http.StatusNotFound, b.get(issuer+"/setup").status, "strangers get no internals")
	require.NotContains(t, log.String(), "correct horse")
	require.NotContains(t, log.String(), code2)

	code, line, stderr := command(t, "", "keys", "show", "--config", file, "--format", "line")
	require.Equal(t, 0, code, stderr)
	require.Equal(t, b.get(issuer+"/keys/public.txt").body, line)
}

// TestInitWritesOnce: the file is written, checked with its line and column,
// and never overwritten.
func TestInitWritesOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "idp.yaml")
	code, _, stderr := command(t, "", "init", file)
	require.Equal(t, 0, code, stderr)
	code, _, stderr = command(t, "", "init", file)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "already exists")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, append(text, []byte("\nisuer: x\n")...), 0o600))
	code, _, stderr = command(t, "", "config", "check", file)
	require.Equal(t, 1, code)
	require.Regexp(t, `idp\.yaml:\d+:\d+: `, stderr)
	require.Contains(t, stderr, "issuer")
}
