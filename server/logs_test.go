package server_test

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/pgtest"
	"idpbridge/internal/robot"
	"idpbridge/internal/secret"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// TestLogsNameTheCause: what an operator needs to find out why a request was refused.
func TestLogsNameTheCause(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	b := servertest.NewBrowser(t)
	long := strings.Repeat("x", 5000)
	b.Get(servertest.AuthorizeURL(s.Issuer, "redirect_uri", "https://elsewhere.example/\u202e\n"+long))
	require.Contains(t, s.Log.String(), `"redirect_uri":"https://elsewhere.example/\\u202e\\nxxx`)
	require.NotContains(t, s.Log.String(), strings.Repeat("x", 300))
	b.Get(servertest.AuthorizeURL(s.Issuer, "client_id", "unknown-app"))
	require.Contains(t, s.Log.String(), `"unknown_client_id":"unknown-app"`)
	require.Contains(t, s.Log.String(), `"address":"127.0.0.1"`)

	post := func(change ...string) {
		servertest.RequestTokens(t, s.Issuer, "code", change...)
	}
	post("client_secret", "wrong-secret-value")
	require.Contains(t, s.Log.String(), `"client_id":"local-web","method":"client_secret_post",`+
		`"reason":"The secret is wrong."`)
	post("client_id", "stranger", "client_secret", "wrong-secret-value")
	require.Contains(t, s.Log.String(), `"client_id":"stranger","method":"client_secret_post",`+
		`"reason":"The client is unknown."`)
	post("client_secret", "")
	require.Contains(t, s.Log.String(), `"method":"none","reason":"The client may not use this method, but client_secret_`)
	require.NotContains(t, s.Log.String(), "wrong-secret-value")

	r, err := robot.NewRequest(t.Context(), http.MethodPost, s.Issuer+"/token", nil)
	require.NoError(t, err)
	r.Host = "www.elsewhere.example"
	require.Equal(t, http.StatusMisdirectedRequest, b.Do(r).Status)
	require.Contains(t, s.Log.String(), `"msg":"request misdirected","reason":"for another host","address":"127.0.0.1",`+
		`"host":"www.elsewhere.example"`)
}

// TestLoginsAreLoggedByAccount: lines about one account can be found without its name.
func TestLoginsAreLoggedByAccount(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *server.Config) { c.Settings.Limits.Failures = 2 })
	b := servertest.NewBrowser(t)
	page := b.Get(servertest.AuthorizeURL(s.Issuer))
	for range 4 {
		request := page.URL.Query().Get("request")
		b.Post(s.Issuer+"/login", url.Values{"request": {request}, "username": {"Jane "}, "password": {"wrong"}})
	}
	log := s.Log.String()
	require.Contains(t, log, `"msg":"login failed"`)
	require.Contains(t, log, `"msg":"login throttled"`)
	require.NotContains(t, strings.ToLower(log), "jane")
	require.Regexp(t, `"address":"127.0.0.1","account":"[0-9a-f]{16}"`, log)
}

// TestSignInFormIgnoresTheQuery: a link cannot fill in the form.
func TestSignInFormIgnoresTheQuery(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t)
	b := servertest.NewBrowser(t)
	request := b.Get(servertest.AuthorizeURL(s.Issuer)).URL.Query().Get("request")
	p := b.Post(s.Issuer+"/login?username=jane&password=jane-password", url.Values{"request": {request}})
	require.Equal(t, http.StatusUnprocessableEntity, p.Status)
	require.Contains(t, p.Body, "Enter your username and your password.")
	p = b.Post(s.Issuer+"/login?username=jane&request="+request, url.Values{"password": {"jane-password"}})
	require.NotEqual(t, http.StatusSeeOther, p.Status)
}

// TestBrokenPrefaceIsNoWarning: every caller can break a handshake.
func TestBrokenPrefaceIsNoWarning(t *testing.T) {
	t.Parallel()
	folder, address := t.TempDir(), servertest.FreeAddress(t)
	certificate, key, _ := servertest.NewCertificate(t)
	servertest.WriteFiles(t, folder, map[string][]byte{
		"cert.pem": certificate, "key.pem": key, "people.yaml": []byte("people: []\n"),
		"idp.yaml": []byte("issuer: https://" + address + "\nlisten: " + address + "\noperations: off\ndata: data\n" +
			"people: people.yaml\nbrand: {name: Brand}\ntls: {certificate: cert.pem, key: key.pem}\n" +
			"clients:\n  - {id: shop, redirect_uris: ['https://shop.example/cb']}\n"),
	})
	s := servertest.StartFile(t, filepath.Join(folder, "idp.yaml"), time.Now)
	connection := dial(t, address)
	_, err := connection.Write([]byte("PRI * HTTP/2.0\r\n\r\nnonsense"))
	require.NoError(t, err)
	_, _ = connection.Read(make([]byte, 100))
	require.NoError(t, connection.Close())
	anyone := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}}
	inside := tls.Client(dial(t, address), anyone)
	_, err = inside.Write([]byte("PRI * HTTP/1.0\r\n\r\nnonsense that is longer than a preface"))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, inside)
	require.NoError(t, inside.Close())
	require.Eventually(t, func() bool { return strings.Contains(s.Log.String(), "TLS handshake error") }, time.Minute,
		10*time.Millisecond)
	require.NotContains(t, s.Log.String(), `"level":"WARN"`)
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := net.DialTimeout("tcp", address, time.Minute)
	require.NoError(t, err)
	return connection
}

// TestOperationsChecksHost: a page whose name resolves to loopback reaches nothing.
func TestOperationsChecksHost(t *testing.T) {
	t.Parallel()
	s := servertest.New(t, func(c *server.Config) { c.Settings.Operations = "127.0.0.1:8081" })
	for host, want := range map[string]int{
		"127.0.0.1:8081": 200, "localhost:8081": 200, "[::1]:8081": 200, "LOCALHOST": 200, "127.0.0.1:9000": 200,
		"attacker.example:8081": 421, "attacker.example": 421, "localhost.attacker.example:8081": 421, "": 421,
		"192.0.2.1:8081": 421,
	} {
		for _, path := range []string{"/healthz", "/metrics", "/setup"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Host = host
			response := httptest.NewRecorder()
			s.OperationsHandler().ServeHTTP(response, r)
			require.Equal(t, want, response.Code, host+path)
		}
	}
}

// TestDataIsClosedToOtherUsers: modes are checked before anything is opened.
func TestDataIsClosedToOtherUsers(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	data := s.Settings.Data
	s.Stop()
	for name, mode := range map[string]os.FileMode{".": 0o750, "idp.db": 0o640, "secret": 0o604} {
		path := filepath.Join(data, name)
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.NoError(t, os.Chmod(path, mode))
		_, err = server.New(t.Context(), s.Config)
		require.ErrorContains(t, err, "is accessible to other users; run: chmod ")
		require.ErrorContains(t, err, filepath.Clean(path))
		require.NoError(t, os.Chmod(path, info.Mode().Perm()))
	}

	volume := t.TempDir()
	require.NoError(t, os.Chmod(volume, 0o777)) // as some volumes are mounted
	again := s.Config
	again.Settings.Data = volume
	started, err := server.New(t.Context(), again)
	require.NoError(t, err, "an empty folder is closed")
	require.NoError(t, started.Close())
	info, err := os.Stat(volume)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())
}

// TestKeyChangesAreLogged: a key that a command changes is in the log of the server.
func TestKeyChangesAreLogged(t *testing.T) {
	t.Parallel()
	s := servertest.New(t)
	ring, err := server.OpenData(t.Context(), s.Settings, s.Clients, s.Development, s.Now)
	require.NoError(t, err)
	before := ring.Keys.ActiveKey("RS256").ID
	_, err = ring.Keys.AddNext(t.Context(), "RS256")
	require.NoError(t, err)
	s.ReloadKeys(t.Context())
	require.Contains(t, s.Log.String(), `"msg":"signing key changed"`)
	require.Contains(t, s.Log.String(), `"from":"","to":"next"`)
	_, err = ring.Keys.Promote(t.Context(), "RS256")
	require.NoError(t, err)
	require.NoError(t, ring.Close())
	s.ReloadKeys(t.Context())
	require.Contains(t, s.Log.String(), `"kid":"`+before+`","from":"active","to":"retiring"`)
	require.Contains(t, s.Log.String(), `"from":"next","to":"active"`)
}

// TestThrottledClientsAreLogged: by client and address, without the secret.
func TestThrottledClientsAreLogged(t *testing.T) {
	t.Parallel()
	s := servertest.Start(t, func(c *server.Config) { c.Settings.Limits.AddressFailures = 2 })
	for range 4 {
		servertest.RequestTokens(t, s.Issuer, "code", "client_secret", "guessed-secret")
	}
	require.Contains(t, s.Log.String(), `"msg":"client authentication throttled"`)
	require.Contains(t, s.Log.String(), `"client_id":"local-web"`)
	require.NotContains(t, s.Log.String(), "guessed-secret")
}

// TestMissingInstanceSecret: beside a PostgreSQL database that has keys already, no other
// secret is made, and nothing is written.
func TestMissingInstanceSecret(t *testing.T) {
	t.Parallel()
	postgres, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop()) })
	s := servertest.New(t, func(c *server.Config) { c.Settings.Store = secret.New(postgres.NewDatabase(t)) })
	keyID := s.Keys.ActiveKey("RS256").ID
	s.Stop()
	again := s.Config
	again.Settings.Data = filepath.Join(t.TempDir(), "other")
	_, err = server.New(t.Context(), again)
	require.ErrorContains(t, err, "is missing")
	require.ErrorContains(t, err, "restore the file from a backup")
	require.NoFileExists(t, filepath.Join(again.Settings.Data, "secret"))

	started, err := server.New(t.Context(), s.Config)
	require.NoError(t, err)
	require.Equal(t, keyID, started.Keys.ActiveKey("RS256").ID)
	require.NoError(t, started.Close())
}
