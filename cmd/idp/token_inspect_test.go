package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
	"idpbridge/server/servertest"
)

// signInForToken signs a person in at a running provider, in the implicit flow of the
// client liveengage. It returns the redirect and the ID token in it.
func signInForToken(t testing.TB, issuer, username string) (redirect, token string) {
	t.Helper()
	authorize := servertest.AuthorizeURL(issuer,
		"client_id", "liveengage", "redirect_uri", servertest.WindowURI, "response_type", "id_token",
		"state", servertest.WindowState())
	p := servertest.NewBrowser(t).SignIn(authorize, username, username+"-password")
	token = servertest.Response(t, p).Get("id_token")
	require.NotEmpty(t, token, p.Body)
	return p.Location, token
}

// TestTokenInspectOwnTokens: the inspection finds no problem in the tokens of the demo
// people.
func TestTokenInspectOwnTokens(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	for _, person := range []string{"jane", "noa", "acme", "ghost", "sofia", "tim", "victor", "yusuf"} {
		redirect, token := signInForToken(t, issuer, person)
		code, stdout, stderr := runCommand(t, redirect,
			"token", "inspect", "--issuer", issuer, "--jwks", issuer+"/jwks", "--json")
		require.Equal(t, 0, code, "%s: %s%s", person, stdout, stderr)
		var report inspect.Report
		require.NoError(t, json.Unmarshal([]byte(stdout), &report))
		require.Equal(t, inspect.Verified, report.Signature.State)
		require.Zero(t, report.CountWarnings(), "%s: %v", person, report.Findings)
		require.NotEmpty(t, report.AgentSees)
		require.Less(t, len(token), 4096)
	}
}

func TestTokenInspectRejectsLargeInput(t *testing.T) {
	t.Parallel()
	code, _, stderr := runCommand(t, strings.Repeat("x", maxTokenBytes+1), "token", "inspect")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "more than")
}

// TestTokenInspectFetchesKeySet: the key set must be small and on the host of the URL.
func TestTokenInspectFetchesKeySet(t *testing.T) {
	t.Parallel()
	requests := 0
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { requests++ }))
	t.Cleanup(elsewhere.Close)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/large":
			_, _ = w.Write([]byte(strings.Repeat(" ", maxKeySetBytes+1)))
		case "/away":
			http.Redirect(w, r, elsewhere.URL, http.StatusFound)
		case "/near":
			http.Redirect(w, r, "/empty", http.StatusFound)
		default:
			_, _ = w.Write([]byte(`{"keys":[]}`))
		}
	}))
	t.Cleanup(s.Close)
	for path, want := range map[string]string{
		"/large": "not a key set",
		"/away":  "use the final URL",
		"/near":  "no RSA key",
	} {
		code, _, stderr := runCommand(t, "a.b.c", "token", "inspect", "--jwks", s.URL+path)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, want, path)
	}
	require.Zero(t, requests)
}

// TestTokenInspectDecrypts: --decrypt opens an encrypted token; without it, the token
// stays closed.
func TestTokenInspectDecrypts(t *testing.T) {
	t.Parallel()
	issuer := startDev(t, time.Now)
	_, token := signInForToken(t, issuer, "jane")
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	recipient := jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: &key.PublicKey, KeyID: "theirs"}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, recipient, (&jose.EncrypterOptions{}).WithContentType("JWT"))
	require.NoError(t, err)
	sealed, err := encrypter.Encrypt([]byte(token))
	require.NoError(t, err)
	compact, err := sealed.CompactSerialize()
	require.NoError(t, err)

	code, stdout, stderr := runCommand(t, compact,
		"token", "inspect", "--issuer", issuer, "--jwks", issuer+"/jwks", "--decrypt", file)
	require.Equal(t, 0, code, stdout+stderr)
	require.True(t, strings.HasPrefix(stdout, "Outer header\n"), stdout)
	require.Contains(t, stdout, "No problems found.")
	code, stdout, _ = runCommand(t, compact, "token", "inspect", "--issuer", issuer)
	require.Equal(t, 0, code)
	require.Contains(t, stdout, "[jwe-closed]")
	require.Contains(t, stdout, "the signature was not checked.")
}
