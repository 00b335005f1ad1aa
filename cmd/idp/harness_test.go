package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"idpbridge/internal/pgtest"
)

// postgres is the private server of this package's tests.
var postgres *pgtest.Server //nolint:gochecknoglobals // one server for all tests

func TestMain(m *testing.M) {
	server, err := pgtest.Start()
	if err != nil {
		_, _ = io.WriteString(os.Stderr, err.Error()+"\n")
		os.Exit(1)
	}
	postgres = server
	code := m.Run()
	_ = server.Stop()
	os.Exit(code)
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
	all := append([]string{"dev", "--simulator", "off", "--listen", "127.0.0.1:0", "--operations", "127.0.0.1:0", "--data", t.TempDir()}, args...)
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

// browser is a person's browser: it keeps cookies and follows redirects by hand.
type browser struct {
	t      testing.TB
	client *http.Client
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &browser{t: t, client: &http.Client{
		Jar: jar, Timeout: 20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// page is where a browser has come to rest.
type page struct {
	status   int
	location string // of a redirect that leads away from the issuer
	body     string
	header   http.Header
	address  *url.URL
}

// get opens an address and follows redirects as long as they stay on its host.
func (b *browser) get(address string) page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	require.NoError(b.t, err)
	return b.do(r)
}

// post submits a form as a browser on the same site does.
func (b *browser) post(address string, form url.Values) page {
	b.t.Helper()
	r, err := http.NewRequest(http.MethodPost, address, strings.NewReader(form.Encode()))
	require.NoError(b.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", r.URL.Scheme+"://"+r.URL.Host)
	return b.do(r)
}

func (b *browser) do(r *http.Request) page {
	b.t.Helper()
	host := r.URL.Host
	for range 10 {
		res, err := b.client.Do(r)
		require.NoError(b.t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(b.t, err)
		require.NoError(b.t, res.Body.Close())
		p := page{status: res.StatusCode, body: string(body), header: res.Header, address: r.URL}
		location := res.Header.Get("Location")
		if location == "" {
			return p
		}
		next, err := r.URL.Parse(location)
		require.NoError(b.t, err)
		if next.Host != host {
			p.location = location
			return p
		}
		r, err = http.NewRequest(http.MethodGet, next.String(), nil)
		require.NoError(b.t, err)
	}
	b.t.Fatal("too many redirects")
	return page{}
}

// fields returns the named inputs of the page's first form.
func (p page) fields(t testing.TB) url.Values {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(p.body))
	require.NoError(t, err)
	v := url.Values{}
	var walk func(n *html.Node, inForm bool)
	seen := false
	walk = func(n *html.Node, inForm bool) {
		if n.Type == html.ElementNode && n.Data == "form" {
			if seen {
				return
			}
			seen, inForm = true, true
		}
		if n.Type == html.ElementNode && n.Data == "input" && inForm {
			name, value := "", ""
			for _, a := range n.Attr {
				switch a.Key {
				case "name":
					name = a.Val
				case "value":
					value = a.Val
				}
			}
			v.Set(name, value)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, inForm)
		}
	}
	walk(doc, false)
	return v
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
	u, err := url.Parse(p.location)
	require.NoError(t, err)
	raw := u.RawQuery
	if u.RawFragment != "" || u.Fragment != "" {
		_, raw, _ = strings.Cut(p.location, "#")
	}
	v, err := url.ParseQuery(raw)
	require.NoError(t, err)
	return v
}

// part is one part of a JWT, decoded.
func part(token string, n int) string {
	raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[n])
	if err != nil {
		return ""
	}
	return string(raw)
}
