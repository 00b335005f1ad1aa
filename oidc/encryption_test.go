package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/server/servertest"
)

// createCertificate returns a certificate for a key in PEM. It became valid an hour ago.
func createCertificate(t *testing.T, key *rsa.PrivateKey, lifetime time.Duration) []byte {
	t.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// startEncrypting runs a server that encrypts the ID tokens of LiveEngage: for an hour
// with the old key's certificate, and then with the next key.
func startEncrypting(t *testing.T, old, next *rsa.PrivateKey, lines string) *servertest.LiveEngage {
	t.Helper()
	line := keys.PublicKey{Key: next.Public()}.Base64()
	until := time.Now().UTC().AddDate(0, 0, 2).Format(time.DateOnly)
	settings := "page: {origins: ['https://www.brand.example'], hands_out: id_token}, delegation: true"
	l := servertest.WriteLiveEngage(t, settings, `
    id_token_encryption:`+lines+`
      keys:
        - {kid: lpsso2026, key: {file: lpsso2026.pem}}
        - {kid: lpsso2027, key: "`+line+`", until: `+until+`}`)
	servertest.WriteFiles(t, l.Folder, map[string][]byte{"lpsso2026.pem": createCertificate(t, old, time.Hour)})
	l.Start()
	return l
}

// testEncryptionFailsClosed: in every flow and response mode the ID token is signed and
// then encrypted. When a key expires, the next one is used. Without a next one, there is
// no token.
func testEncryptionFailsClosed(t *testing.T) {
	t.Parallel()
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	l := startEncrypting(t, old, next, "")
	b := l.SignInJane()
	form := url.Values{"client_id": {"liveengage"}}
	tokens := func() map[string]string {
		out := map[string]string{}
		out["implicit"] = b.Authorize(l.AuthorizeURL()).Get("id_token")
		out["form_post"] = servertest.FormFields(b.Get(l.AuthorizeURL("response_mode", "form_post"))).Get("id_token")
		code := b.Authorize(l.AuthorizeURL("response_type", "code")).Get("code")
		status, body := l.RedeemCode("liveengage", code, servertest.WindowURI)
		if status == http.StatusOK {
			out["code"] = body["id_token"].(string)
			basic := servertest.BasicAuth("liveengage", servertest.LiveEngageSecret, true)
			_, refreshed, _ := l.RequestTokens(servertest.TokenRequest{
				Fields:  map[string]string{"grant_type": "refresh_token", "refresh_token": body["refresh_token"].(string)},
				Headers: map[string]string{"Authorization": basic},
			})
			out["refresh"] = refreshed["id_token"].(string)
		}
		status, body, _ = l.CallAsPage(b, "https://www.brand.example", "/liveengage/token", form)
		if status == http.StatusOK {
			out["page"], _ = body["id_token"].(string)
		}
		return out
	}
	first := tokens()
	require.Len(t, first, 5)
	for flow, token := range first {
		t.Log(flow)
		l.RequireJane(servertest.DecryptToken(t, token, old, "lpsso2026", "A128CBC-HS256"))
	}
	l.Clock.Add(3601 * time.Second) // the certificate has expired, and so has the idle session
	b = l.SignInJane()
	for flow, token := range tokens() {
		t.Log(flow)
		l.RequireJane(servertest.DecryptToken(t, token, next, "lpsso2027", "A128CBC-HS256"))
	}
	require.Contains(t, l.Server.GetOperations(t, "/setup"), "lpsso2027")

	l.Clock.Add(72 * time.Hour)
	b = servertest.NewBrowser(t)
	p := b.SignIn(l.AuthorizeURL(), "jane", "jane-password")
	require.Equal(t, "server_error", servertest.Response(t, p).Get("error"))
	require.Empty(t, servertest.Response(t, p).Get("id_token"))
	p = b.Get(l.AuthorizeURL("response_mode", "form_post"))
	require.Equal(t, "server_error", servertest.FormFields(p).Get("error"))
	code := b.Authorize(l.AuthorizeURL("response_type", "code")).Get("code")
	status, body := l.RedeemCode("liveengage", code, servertest.WindowURI)
	require.Equal(t, http.StatusInternalServerError, status)
	onlyError := map[string]any{"error": "server_error", "error_description": body["error_description"]}
	require.Equal(t, onlyError, body, "not even an access token")
	status, body, _ = l.CallAsPage(b, "https://www.brand.example", "/liveengage/token", form)
	require.Equal(t, http.StatusInternalServerError, status)
	require.NotContains(t, body, "id_token")
	require.Contains(t, l.Server.Log.String(), "every encryption key of the client has expired", "the operator is told")
	require.Contains(t, l.Server.GetOperations(t, "/setup"), "no token can be issued")
	require.Contains(t, l.Server.GetOperations(t, "/metrics"),
		`idp_encryption_key_remaining_seconds{client="liveengage"} -`)
	plain := servertest.NewBrowser(t).SignIn(l.AuthorizeURL("client_id", "plain", "nonce", "n"), "jane", "jane-password")
	require.Len(t, strings.Split(servertest.Response(t, plain).Get("id_token"), "."), 3, "other clients are not affected")
}

// TestContentEncryption: the other algorithm can be configured.
func TestContentEncryption(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	l := startEncrypting(t, key, key, "\n      enc: A256GCM")
	token := l.SignInJane().Authorize(l.AuthorizeURL()).Get("id_token")
	l.RequireJane(servertest.DecryptToken(t, token, key, "lpsso2026", "A256GCM"))
}

// testEncryptionKeys: a key that cannot be used is rejected in the configuration. The
// error names the place and the remedy, and has no part of the key.
func testEncryptionKeys(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	spki := func(public any) string { return keys.PublicKey{Key: public}.Base64() }
	good := spki(key.Public())
	for _, c := range []struct{ encryption, want string }{
		{"{keys: []}", "keys is missing"},
		{"{}", "keys is missing"},
		{"{keys: [{key: '" + good + "'}]}", "encryption key without kid"},
		{"{keys: [{kid: k, key: '" + good[:100] + "'}]}", "neither a public key"},
		{"{keys: [{kid: k, key: {file: missing.pem}}]}", "does not exist"},
		{"{keys: [{kid: k, key: '" + spki(curve.Public()) + "'}]}", "not an RSA key"},
		{"{keys: [{kid: k, key: '" + spki(short.Public()) + "'}]}", "RSA key of 1024 bits"},
		{"{keys: [{kid: k, key: {file: private.pem}}]}", "private key; keep it secret"},
		{"{keys: [{kid: k, key: '" + good + "'}, {kid: k, key: '" + good + "'}]}", "duplicate encryption key"},
		{"{keys: [{kid: k, key: '" + good + "', until: soon}]}", "use YYYY-MM-DD"},
		{"{enc: A128GCM, keys: [{kid: k, key: '" + good + "'}]}", "use one of: A128CBC-HS256, A256GCM"},
		{"{alg: RSA1_5, keys: [{kid: k, key: '" + good + "'}]}", `unknown key "alg"`},
	} {
		l := servertest.WriteLiveEngage(t, "", "\n    id_token_encryption: "+c.encryption)
		servertest.WriteFiles(t, l.Folder, map[string][]byte{
			"private.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		})
		err := l.CheckConfig()
		require.ErrorContains(t, err, c.want, c.encryption)
		require.Regexp(t, `idp\.yaml:\d+:\d+: client "liveengage": `, err.Error())
		require.NotContains(t, err.Error(), good[40:80])
	}
	l := servertest.WriteLiveEngage(t, "",
		"\n    id_token_encryption: {keys: [{kid: k, insecure_short_key: true, key: '"+spki(short.Public())+"'}]}")
	require.NoError(t, l.CheckConfig())
}
