package server_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/config"
	"idpbridge/internal/memnet"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// The addresses of servers in memory.
const (
	publicAddress = "127.0.0.1:8080"
	healthAddress = "10.0.0.1:8082"
)

// TestHealth shows the constant responses of the health address, for any Host.
func TestHealth(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	for path, want := range map[string]string{
		"/healthz": "200 ok\n", "/readyz": "200 ready\n", "/metrics": "404 ", "/setup": "404 ", "/": "404 ",
	} {
		r := httptest.NewRequest(http.MethodGet, "http://10.1.2.3"+path, nil)
		w := httptest.NewRecorder()
		s.HealthHandler().ServeHTTP(w, r)
		require.Equal(t, want, w.Result().Status[:4]+w.Body.String(), path)
	}
}

// runInMemory runs a server with a health address on a network in memory, so that the time
// of a synctest bubble can move. After stop, done gets the result of Run.
func runInMemory(t *testing.T, shutdownDelay time.Duration) (
	s *servertest.Server, network *memnet.Network, stop func(), done <-chan error,
) {
	t.Helper()
	s = servertest.New(t, func(c *server.Config) { c.Settings.ShutdownDelay = shutdownDelay })
	network = memnet.New(t)
	public, health := network.Listen(t, publicAddress), network.Listen(t, healthAddress)
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- s.Run(ctx, &server.Listeners{Public: public, Health: health}) }()
	synctest.Wait()
	return s, network, cancel, result
}

// TestReadiness closes the database under a running server, as a full disk or a standby
// would stop its writes. It is noticed by the periodic probe, not by requests.
func TestReadiness(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, network, stop, done := runInMemory(t, 7*time.Second)
		require.Equal(t, "200 ready\n", get(t, network, "http://"+healthAddress+"/readyz"))

		require.NoError(t, s.Store.Close())
		time.Sleep(6 * time.Second) // of the bubble: more than the interval of the probe
		synctest.Wait()
		require.Equal(t, "503 not ready\n", get(t, network, "http://"+healthAddress+"/readyz"))
		require.Equal(t, "200 ok\n", get(t, network, "http://"+healthAddress+"/healthz"))
		require.Contains(t, s.Log.String(), "not ready: the database cannot be written")

		stop()
		synctest.Wait()
		require.Equal(t, "503 not ready\n", get(t, network, "http://"+healthAddress+"/readyz"),
			"it still serves for the shutdown delay")
		time.Sleep(8 * time.Second)
		synctest.Wait()
		require.NoError(t, <-done)
	})
}

// TestStoppingIsNotReady shows that readiness ends with the signal and the port only after
// the shutdown delay.
func TestStoppingIsNotReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, network, stop, done := runInMemory(t, 5*time.Second)
		stop()
		time.Sleep(4 * time.Second)
		synctest.Wait()
		require.Equal(t, "503 not ready\n", get(t, network, "http://"+healthAddress+"/readyz"))
		require.Equal(t, "200", get(t, network, "http://"+publicAddress+"/jwks")[:3])
		time.Sleep(2 * time.Second)
		require.NoError(t, <-done)
	})
}

// TestCertificateReload replaces the files under a running server. A pair that does not
// match is refused and the old one stays.
func TestCertificateReload(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	files := config.TLS{Certificate: filepath.Join(folder, "cert.pem"), Key: filepath.Join(folder, "key.pem")}
	write := func(name string, age time.Duration) (key []byte) {
		certificate, key := newCertificate(t, name)
		require.NoError(t, os.WriteFile(files.Certificate, certificate, 0o600))
		require.NoError(t, os.WriteFile(files.Key, key, 0o600))
		changed := time.Now().Add(-age)
		require.NoError(t, os.Chtimes(files.Certificate, changed, changed))
		return key
	}
	write("first.example", time.Hour)
	synctest.Test(t, func(t *testing.T) {
		s := servertest.New(t, func(c *server.Config) {
			c.Settings.Issuer, c.Settings.TLS = "https://login.brand.example", &files
		})
		network := memnet.New(t)
		public := network.Listen(t, publicAddress)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Run(ctx, &server.Listeners{Public: public}) }()
		served := func() string {
			raw, err := network.DialContext(t.Context(), "tcp", publicAddress)
			require.NoError(t, err)
			conn := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
			require.NoError(t, conn.Handshake())
			name := conn.ConnectionState().PeerCertificates[0].Subject.CommonName
			require.NoError(t, conn.Close())
			return name
		}
		require.Equal(t, "first.example", served())
		write("second.example", time.Minute)
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Equal(t, "second.example", served())
		require.Contains(t, s.Log.String(), "certificate reloaded")

		_, otherKey := newCertificate(t, "third.example")
		require.NoError(t, os.WriteFile(files.Key, append(otherKey, '\n'), 0o600))
		time.Sleep(11 * time.Second)
		synctest.Wait()
		require.Equal(t, "second.example", served())
		require.Contains(t, s.Log.String(), "certificate reload failed")
		w := httptest.NewRecorder()
		s.OperationsHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/metrics", nil))
		require.Contains(t, w.Body.String(), "idp_certificate_remaining_seconds")
		stop()
		require.NoError(t, <-done)
	})
}

// newCertificate returns a certificate and its key as PEM.
func newCertificate(t *testing.T, name string) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(9999 * time.Hour)}
	template.Subject.CommonName = name
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
}

// get returns the status code and the body.
func get(t *testing.T, network *memnet.Network, url string) string {
	t.Helper()
	res, err := network.Client().Get(url)
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.Status[:4] + string(body)
}
