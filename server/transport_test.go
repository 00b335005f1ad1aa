package server_test

import (
	"crypto/tls"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"idpbridge/oidc"
	"idpbridge/server/servertest"

	"github.com/stretchr/testify/require"
)

// TestAttack has the rows of the attack table that the server stops before a request
// reaches the protocol. Most rows are in oidc/conformance_test.go.
func TestAttack(t *testing.T) {
	t.Parallel()
	t.Run("20-plain-http", testNotBehindProxy)
	t.Run("20-old-tls", testOldTLS)
	t.Run("21-proxy-headers", testBehindProxy)
	t.Run("90-storage-flood", testStorageFlood)
	t.Run("91-development-mode-in-production", testNoDevelopmentPages)
}

// testNoDevelopmentPages: the pages of idp dev and the operations are not public.
func testNoDevelopmentPages(t *testing.T) {
	t.Parallel()
	s := servertest.StartConformance(t)
	client := &http.Client{Transport: s.Target.HTTP}
	for _, path := range []string{"/setup", "/try", "/cb", "/metrics", "/healthz"} {
		res, err := client.Get(s.Issuer + path)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, http.StatusNotFound, res.StatusCode, path)
	}
}

// startServer runs a server with the lines of configuration, in which ADDRESS is its
// host:port, and with files in its folder. It returns the address.
func startServer(t *testing.T, lines string, files map[string][]byte) (address string) {
	t.Helper()
	folder, address := t.TempDir(), servertest.FreeAddress(t)
	settings := strings.ReplaceAll(lines, "ADDRESS", address) + `
listen: ` + address + `
operations: off
data: data
people: people.yaml
brand: {name: Brand}
clients:
  - {id: shop, name: Shop, secret: ` + servertest.FileSecret + `, redirect_uris: ["https://shop.example/cb"]}
`
	servertest.WriteFiles(t, folder, files)
	servertest.WriteFiles(t, folder, map[string][]byte{
		"idp.yaml":    []byte(settings),
		"people.yaml": []byte("people:\n  - {username: ann, sub: 0123456789abcdef}\n"),
	})
	servertest.StartFile(t, filepath.Join(folder, "idp.yaml"), time.Now)
	return address
}

// testBehindProxy: forwarded headers count only from the configured proxy, and the issuer
// never comes from a request.
func testBehindProxy(t *testing.T) {
	t.Parallel()
	address := startServer(t, "issuer: https://login.example\nproxies: [127.0.0.1]", nil)
	getDiscovery := func(host, proto string) (int, string, http.Header) {
		r, err := http.NewRequest(http.MethodGet, "http://"+address+oidc.PathDiscovery, nil)
		require.NoError(t, err)
		r.Host = host
		if proto != "" {
			r.Header.Set("X-Forwarded-Proto", proto)
		}
		p := servertest.NewBrowser(t).Do(r)
		return p.Status, p.Body, p.Header
	}
	status, body, header := getDiscovery("login.example", "https")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"issuer":"https://login.example"`)
	require.NotEmpty(t, header.Get("Strict-Transport-Security"))
	status, _, _ = getDiscovery("evil.example", "https")
	require.Equal(t, http.StatusMisdirectedRequest, status)
	status, _, _ = getDiscovery("login.example", "http")
	require.Equal(t, http.StatusForbidden, status)

	r, err := http.NewRequest(http.MethodGet, "http://"+address+"/authorize?client_id=shop"+
		"&redirect_uri=https%3A%2F%2Fshop.example%2Fcb&response_type=code&scope=openid", nil)
	require.NoError(t, err)
	r.Host = "login.example"
	p, err := servertest.NewBrowser(t).Send(r)
	require.NoError(t, err)
	cookie := p.Header.Get("Set-Cookie")
	require.Regexp(t, `^__Host-idp_browser=.*; Path=/; HttpOnly; Secure; SameSite=Lax$`, cookie)
}

// testNotBehindProxy: over http, every caller except the configured proxy is rejected.
func testNotBehindProxy(t *testing.T) {
	t.Parallel()
	address := startServer(t, "issuer: https://login.example\nproxies: [10.9.8.7]", nil)
	r, err := http.NewRequest(http.MethodGet, "http://"+address+oidc.PathDiscovery, nil)
	require.NoError(t, err)
	r.Host = "login.example"
	r.Header.Set("X-Forwarded-Proto", "https")
	require.Equal(t, http.StatusForbidden, servertest.NewBrowser(t).Do(r).Status)
}

// testOldTLS: the server serves https with the configured certificate, with TLS 1.2 or
// newer.
func testOldTLS(t *testing.T) {
	t.Parallel()
	certificate, key, transport := servertest.NewCertificate(t)
	address := startServer(t, "issuer: https://ADDRESS\ntls: {certificate: cert.pem, key: key.pem}",
		map[string][]byte{"cert.pem": certificate, "key.pem": key})
	res, err := (&http.Client{Transport: transport}).Get("https://" + address + oidc.PathDiscovery)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 200, res.StatusCode)
	old := transport.Clone()
	old.TLSClientConfig.MaxVersion = tls.VersionTLS11
	old.TLSClientConfig.MinVersion = tls.VersionTLS10
	res, err = (&http.Client{Transport: old}).Get("https://" + address + oidc.PathDiscovery)
	if err == nil {
		_ = res.Body.Close()
	}
	require.Error(t, err)
}
