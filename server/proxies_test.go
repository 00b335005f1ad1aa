package server_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// proxyPrograms are the proxies of docs/proxies.md that Debian has: the language of the code
// block, the program, and what goes around the block in a configuration file.
func proxyPrograms() []proxyProgram {
	return []proxyProgram{
		{"nginx", "nginx", []string{"-p", "FOLDER", "-c", "FILE"}, `pid FOLDER/pid;
error_log FOLDER/log;
daemon off;
events {}
http {
  access_log off;
  client_body_temp_path FOLDER/1;
  proxy_temp_path FOLDER/2;
  fastcgi_temp_path FOLDER/3;
  uwsgi_temp_path FOLDER/4;
  scgi_temp_path FOLDER/5;
BLOCK
}`, ""},
		{"caddy", "caddy", []string{"run", "--adapter", "caddyfile", "--config", "FILE"}, `{
  admin off
  auto_https disable_redirects
  skip_install_trust
  storage file_system FOLDER
}
BLOCK`, ""},
		{"haproxy", "haproxy", []string{"-db", "-f", "FILE"}, "BLOCK", ""},
		{"apache", "apache2", []string{"-D", "FOREGROUND", "-f", "FILE"}, `ServerRoot FOLDER
PidFile FOLDER/pid
ErrorLog FOLDER/log
DefaultRuntimeDir FOLDER
User nobody
Group nogroup
LoadModule mpm_event_module MODULES/mod_mpm_event.so
LoadModule authz_core_module MODULES/mod_authz_core.so
LoadModule ssl_module MODULES/mod_ssl.so
LoadModule proxy_module MODULES/mod_proxy.so
LoadModule proxy_http_module MODULES/mod_proxy_http.so
LoadModule headers_module MODULES/mod_headers.so
BLOCK`, ""},
	}
}

type proxyProgram struct {
	language string
	program  string
	args     []string
	frame    string
	remove   string // from the block
}

// findProgram returns the path of a program; Debian has some where only root looks.
func findProgram(name string) string {
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}

// readCodeBlock returns the code block of docs/proxies.md in a language.
func readCodeBlock(t *testing.T, language string) string {
	t.Helper()
	text, err := os.ReadFile("../docs/proxies.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(text), "```"+language+"\n")
	require.True(t, found, language)
	block, _, found := strings.Cut(rest, "```")
	require.True(t, found, language)
	return block
}

// startProxy runs a proxy with the configuration of the document, with the addresses and
// files of the test, and returns when it accepts connections.
func startProxy(t *testing.T, p proxyProgram, address, backend, health string) {
	t.Helper()
	path := findProgram(p.program)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not installed; run make deps", p.program)
	}
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o755)) // Apache reads it as another user
	certificate, key, _ := servertest.NewCertificate(t)
	servertest.WriteFiles(t, folder, map[string][]byte{
		"cert.pem": certificate, "key.pem": key, "both.pem": append(append([]byte{}, certificate...), key...),
	})
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	_, healthPort, err := net.SplitHostPort(health)
	require.NoError(t, err)
	block := strings.NewReplacer(
		"/etc/idp", folder, "127.0.0.1:8080", backend, "port 8082", "port "+healthPort,
		"listen 443", "listen "+address, "Listen 443", "Listen "+address, "*:443", address, "bind :443", "bind "+address,
		"login.brand.example {", "https://"+address+" {",
		"login.brand.example", "127.0.0.1",
	).Replace(strings.Replace(readCodeBlock(t, p.language), p.remove, "", 1))
	require.NotRegexp(t, `:443\b`, block)
	file := filepath.Join(folder, "proxy.conf")
	replace := strings.NewReplacer("FOLDER", folder, "FILE", file, "BLOCK", block, "MODULES", "/usr/lib/apache2/modules")
	servertest.WriteFiles(t, folder, map[string][]byte{"proxy.conf": []byte(replace.Replace(p.frame) + "\n")})
	var args []string
	for _, arg := range p.args {
		args = append(args, replace.Replace(arg))
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = append(os.Environ(), "HOME="+folder, "XDG_DATA_HOME="+folder, "XDG_CONFIG_HOME="+folder)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	output := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = output, output
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		require.NotErrorIs(t, <-ended, exec.ErrWaitDelay, "it stops when it is interrupted")
		log, _ := os.ReadFile(filepath.Join(folder, "log"))
		if t.Failed() {
			t.Logf("%s (port %s) said: %s\n%s", p.program, port, output, log)
		}
	})
	waitForPort(t, address, ended)
}

// waitForPort returns when something accepts connections at an address.
func waitForPort(t *testing.T, address string, ended chan error) {
	t.Helper()
	dialer := net.Dialer{Timeout: time.Second}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		if err == nil {
			require.NoError(t, conn.Close())
			return
		}
		select {
		case err := <-ended:
			ended <- err
			require.NoError(t, errors.Join(errors.New("the proxy has ended"), err))
		case <-t.Context().Done():
			require.NoError(t, t.Context().Err())
		case <-tick.C:
		}
	}
}

// newRichServer returns a server behind a proxy. Jane has as many attributes as a token may
// have.
func newRichServer(t *testing.T, issuer string) (s *servertest.Server, backend string) {
	t.Helper()
	s = servertest.New(t, func(c *server.Config) {
		c.Settings.Issuer = issuer
		c.Settings.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		for i := range c.People {
			if c.People[i].Username == "jane" {
				c.People[i].Person.PersonalInfo = &claims.PersonalInfo{FirstName: "Jane", Contacts: manyContacts()}
			}
		}
	})
	listener := httptest.NewServer(s.Handler())
	t.Cleanup(listener.Close)
	return s, strings.TrimPrefix(listener.URL, "http://")
}

func manyContacts() []claims.Contact {
	var all []claims.Contact
	for range 26 {
		all = append(all, claims.Contact{
			Email: "jane.doe@mail.example.com", Phone: "+1 212-555-0123", PhoneType: "MOBILE",
			Address: &claims.ContactAddress{Country: "US", Region: "New York"},
		})
	}
	return all
}

// TestProxies: the configurations of docs/proxies.md work, also with long requests and
// responses, and say who the caller is.
func TestProxies(t *testing.T) {
	t.Parallel()
	for _, p := range proxyPrograms() {
		t.Run(p.language, func(t *testing.T) {
			t.Parallel()
			address := servertest.FreeAddress(t)
			issuer := "https://" + address
			s, backend := newRichServer(t, issuer)
			healthServer := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			t.Cleanup(healthServer.Close)
			startProxy(t, p, address, backend, strings.TrimPrefix(healthServer.URL, "http://"))
			b := servertest.NewBrowser(t)
			_, _, b.Transport = servertest.NewCertificate(t)
			signInBehindProxy(t, b, issuer, randomState(6000))

			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/token",
				strings.NewReader(url.Values{"grant_type": {"authorization_code"}, "code": {"x"}}.Encode()))
			require.NoError(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("X-Forwarded-For", "203.0.113.9")
			r.SetBasicAuth("local-web", "wrong")
			require.Equal(t, http.StatusUnauthorized, b.Do(r).Status)
			require.Contains(t, s.Log.String(), `"msg":"client authentication failed","address":"127.0.0.1"`)
			require.NotContains(t, s.Log.String(), "203.0.113.9", "a caller cannot choose the address")
		})
	}
}

// TestNginxAsItComes: nginx accepts 8 kB of request line and 4 kB of response headers unless
// it is told otherwise.
func TestNginxAsItComes(t *testing.T) {
	t.Parallel()
	address := servertest.FreeAddress(t)
	_, backend := newRichServer(t, "https://"+address)
	p := proxyPrograms()[0]
	p.remove = "  large_client_header_buffers 4 32k;\n"
	startProxy(t, p, address, backend, "127.0.0.1:8082")
	b := servertest.NewBrowser(t)
	_, _, b.Transport = servertest.NewCertificate(t)
	signInBehindProxy(t, b, "https://"+address, randomState(3500))
	// Lengths at which a redirect is just short enough to be one, with its cookies.
	for length := 1500; length < 3500; length += 50 {
		b.Jar, _ = cookiejar.New(nil) // fails never
		page := b.SignIn(servertest.AuthorizeURL("https://"+address, "state", randomState(length)), "jane", "jane-password")
		require.NotEmpty(t, servertest.Response(t, page).Get("code"), "%d", length)
	}
}

// randomState returns a state that cannot be compressed.
func randomState(length int) string {
	raw := make([]byte, length)
	_, _ = rand.Read(raw) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(raw)[:length]
}

// signInBehindProxy signs in with a long token and a long state. Every response must fit
// into the 4 kB of headers that nginx reads.
func signInBehindProxy(t *testing.T, b *servertest.Browser, issuer, state string) {
	t.Helper()
	b.Transport = boundedHeaders{t, b.Transport}
	authorize := servertest.AuthorizeURL(issuer,
		"response_type", "id_token token", "state", state, "scope", "openid lp_sdes")
	page := b.SignIn(authorize, "jane", "jane-password")
	response := servertest.Response(t, page)
	require.Equal(t, state, response.Get("state"))
	require.NotEmpty(t, response.Get("id_token"))
	alone := servertest.AuthorizeURL(issuer, "response_type", "id_token", "scope", "openid lp_sdes")
	response = b.Authorize(alone)
	require.Greater(t, len(response.Get("id_token")), 4096)
	require.NotNil(t, servertest.DecodeClaims(t, response.Get("id_token"))["lp_sdes"])
}

// boundedHeaders fails the test if the headers of a response are too long for nginx.
type boundedHeaders struct {
	t    *testing.T
	next http.RoundTripper
}

func (b boundedHeaders) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if err == nil {
		var size lengthWriter
		require.NoError(b.t, res.Header.Write(&size))
		require.Less(b.t, int(size), 4096-300, "%s", r.URL.Path)
		require.Less(b.t, res.StatusCode, 500)
	}
	return res, err
}

type lengthWriter int

var _ io.Writer = (*lengthWriter)(nil)

func (n *lengthWriter) Write(p []byte) (int, error) {
	*n += lengthWriter(len(p))
	return len(p), nil
}
