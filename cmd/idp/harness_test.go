package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/pgtest"
	"idpbridge/internal/robot"
)

// postgres is the private server of this package's tests.
var postgres *pgtest.Server //nolint:gochecknoglobals // one server for all tests

// TestMain runs the tests, or main if a script runs the test binary as idp.
func TestMain(m *testing.M) {
	testscript.Main(testsWithPostgres{m}, map[string]func(){"idp": main})
}

// testsWithPostgres runs the tests while the server runs.
type testsWithPostgres struct{ tests *testing.M }

func (t testsWithPostgres) Run() int {
	server, err := pgtest.Start()
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		return 1
	}
	postgres = server
	defer func() { _ = server.Stop() }()
	return t.tests.Run()
}

// engines runs a test on a server of each storage engine.
func engines(t *testing.T, test func(t *testing.T, issuer string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, startDev(t, time.Now))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, startDev(t, time.Now, "--store", postgres.NewDatabase(t)))
	})
}

// startDev runs idp dev in this process, as main does, and returns its issuer.
func startDev(t testing.TB, now func() time.Time, args ...string) string {
	t.Helper()
	all := append([]string{
		"dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", t.TempDir(),
	}, args...)
	return startIDP(t, now, all...)
}

// startIDP runs a command until the test ends and returns the address at which it
// says that it is ready.
func startIDP(t testing.TB, now func() time.Time, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var log lockedBuffer
	done := make(chan int, 1)
	go func() {
		code := run(ctx, &process{stdin: strings.NewReader(""), stdout: in, stderr: &log, getenv: os.Getenv, now: now}, args)
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

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// browser is a robot whose errors end the test.
type browser struct {
	t      testing.TB
	client *robot.Browser
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	return &browser{t: t, client: robot.New(nil)}
}

// page is where a browser stopped.
type page struct {
	status   int
	location string // of a redirect that leads away from the issuer
	body     string
	header   http.Header
	address  *url.URL
	robot    *robot.Page
}

// get opens an address and follows redirects as long as they stay on its host.
func (b *browser) get(address string) page {
	b.t.Helper()
	return b.shown(b.client.Get(b.t.Context(), address))
}

// post submits a form as a browser on the same site does.
func (b *browser) post(address string, form url.Values) page {
	b.t.Helper()
	return b.shown(b.client.Post(b.t.Context(), address, form))
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	return b.shown(b.client.Do(r))
}

func (b *browser) shown(p *robot.Page, err error) page {
	b.t.Helper()
	require.NoError(b.t, err)
	return page{status: p.Status, location: p.Location, body: p.Body, header: p.Header, address: p.URL, robot: p}
}

// fields returns the named inputs of the page's first form.
func (p page) fields(t testing.TB) url.Values {
	t.Helper()
	forms := p.robot.Forms()
	if len(forms) == 0 {
		return url.Values{}
	}
	return forms[0].Fields
}

// signIn opens an authorization address, fills in the sign-in page and returns
// where it ends.
func (b *browser) signIn(issuer, address, username, password string) page {
	b.t.Helper()
	p := b.get(address)
	require.Equal(b.t, http.StatusOK, p.status, p.body)
	form := p.fields(b.t)
	require.NotEmpty(b.t, form.Get("request"), p.body)
	form.Set("username", username)
	form.Set("password", password)
	return b.post(issuer+"/login", form)
}

// answer reads the parameters of an authorization response from a redirect.
func (p page) answer(t testing.TB) url.Values {
	t.Helper()
	response, ok := p.robot.AuthorizationResponse("")
	require.True(t, ok, p.location)
	return response.Values
}

// part is one part of a JWT, decoded.
func part(token string, n int) string {
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		return ""
	}
	return string(raw)
}
