package main

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpbridge/dev"

	"github.com/stretchr/testify/require"
)

// startServe runs idp serve with the given lines of configuration on a port of
// its own; PORT in them stands for it.
func startServe(t *testing.T, lines string, files map[string][]byte) (port string) {
	t.Helper()
	folder := t.TempDir()
	_, port, err := net.SplitHostPort(freeAddress(t))
	require.NoError(t, err)
	text := strings.ReplaceAll(lines, "PORT", port) + `
listen: 127.0.0.1:` + port + `
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - {id: shop, name: Shop, secret: ` + dev.LocalWebSecret + `, redirect_uris: ["https://shop.example/cb"]}
`
	require.NoError(t, os.WriteFile(filepath.Join(folder, "idp.yaml"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "people.yaml"), []byte("people:\n  - {username: ann, sub: 0123456789abcdef}\n"), 0o600))
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), content, 0o600))
	}
	serveConfig(t, time.Now, folder)
	return port
}

const discoveryPath = "/.well-known/openid-configuration"

// behindAProxy: forwarded headers count from the configured proxy alone,
// and the issuer is never built from a request.
func behindAProxy(t *testing.T) {
	t.Parallel()
	port := startServe(t, "issuer: https://login.example\nproxies: [127.0.0.1]", nil)
	ask := func(host, proto string) (int, string, http.Header) {
		r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+discoveryPath, nil)
		require.NoError(t, err)
		r.Host = host
		if proto != "" {
			r.Header.Set("X-Forwarded-Proto", proto)
		}
		p := newBrowser(t).do(r)
		return p.status, p.body, p.header
	}
	status, body, header := ask("login.example", "https")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"issuer":"https://login.example"`)
	require.NotEmpty(t, header.Get("Strict-Transport-Security"))
	status, _, _ = ask("evil.example", "https")
	require.Equal(t, http.StatusMisdirectedRequest, status)
	status, _, _ = ask("login.example", "http")
	require.Equal(t, http.StatusForbidden, status)

	r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+"/authorize?client_id=shop&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&response_type=code&scope=openid", nil)
	require.NoError(t, err)
	r.Host = "login.example"
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	cookie := res.Header.Get("Set-Cookie")
	require.Regexp(t, `^__Host-idp_browser=.*; Path=/; HttpOnly; Secure; SameSite=Lax$`, cookie)
}

// notBehindThatProxy: whoever is not the proxy gets nothing over http.
func notBehindThatProxy(t *testing.T) {
	t.Parallel()
	port := startServe(t, "issuer: https://login.example\nproxies: [10.9.8.7]", nil)
	r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1:"+port+discoveryPath, nil)
	require.NoError(t, err)
	r.Host = "login.example"
	r.Header.Set("X-Forwarded-Proto", "https")
	require.Equal(t, http.StatusForbidden, newBrowser(t).do(r).status)
}

// tlsFromFiles serves https itself, TLS 1.2 and newer.
func tlsFromFiles(t *testing.T) {
	t.Parallel()
	lender := httptest.NewTLSServer(http.NotFoundHandler()) // lends its certificate for 127.0.0.1
	defer lender.Close()
	certificate, key := pemOf(t, lender.TLS.Certificates[0])
	port := startServe(t, "issuer: https://127.0.0.1:PORT\ntls: {certificate: cert.pem, key: key.pem}",
		map[string][]byte{"cert.pem": certificate, "key.pem": key})
	client := lender.Client()
	res, err := client.Get("https://127.0.0.1:" + port + discoveryPath)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 200, res.StatusCode)
	transport, ok := client.Transport.(*http.Transport)
	require.True(t, ok)
	old := transport.Clone()
	old.TLSClientConfig.MaxVersion = tls.VersionTLS11
	old.TLSClientConfig.MinVersion = tls.VersionTLS10
	res, err = (&http.Client{Transport: old}).Get("https://127.0.0.1:" + port + discoveryPath)
	if err == nil {
		_ = res.Body.Close()
	}
	require.Error(t, err)
}
