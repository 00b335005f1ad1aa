package main

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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

// certificateFor is a certificate of a key, valid for a while from an hour ago.
func certificateFor(t *testing.T, key *rsa.PrivateKey, lifetime time.Duration) []byte {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lifetime)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// openedJWE opens a token that is encrypted to LivePerson's key and returns the signed
// token within.
func openedJWE(t *testing.T, token string, key *rsa.PrivateKey, kid, content string) string {
	t.Helper()
	require.Len(t, strings.Split(token, "."), 5, "encrypted")
	jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.ContentEncryption(content)})
	require.NoError(t, err)
	require.Equal(t, kid, jwe.Header.KeyID)
	require.Equal(t, "JWT", jwe.Header.ExtraHeaders["cty"])
	signed, err := jwe.Decrypt(key)
	require.NoError(t, err)
	return string(signed)
}

// withEncryption is a server whose client encrypts to an old certificate that ends
// in an hour and to a new key for the time after that.
func withEncryption(t *testing.T, old, next *rsa.PrivateKey, more string) *liveperson {
	t.Helper()
	l := &liveperson{t: t, folder: t.TempDir(), operations: freeAddress(t), issuer: "http://" + freeAddress(t), clock: &clock{}}
	line := keys.PublicKey{Key: next.Public()}.Base64()
	until := time.Now().UTC().AddDate(0, 0, 2).Format(time.DateOnly)
	require.NoError(t, os.WriteFile(filepath.Join(l.folder, "lpsso2026.pem"), certificateFor(t, old, time.Hour), 0o600))
	l.configure("page: {origins: ['https://www.brand.example'], hands_out: id_token}, delegation: true", `
    id_token_encryption:`+more+`
      keys:
        - {kid: lpsso2026, key: {file: lpsso2026.pem}}
        - {kid: lpsso2027, key: "`+line+`", until: `+until+`}`)
	l.log = serveConfig(t, l.clock.now, l.folder)
	return l
}

// encryptionFailsClosed is row 44 of the attack table: in every flow and mode the
// token is signed, then encrypted; as one key expires the next is used, and when
// none is left there is no token at all.
func encryptionFailsClosed(t *testing.T) {
	t.Parallel()
	old, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	next, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	l := withEncryption(t, old, next, "")
	b := l.signedIn()
	form := url.Values{"client_id": {"liveengage"}}
	tokens := func() map[string]string {
		out := map[string]string{}
		out["implicit"] = b.get(l.popOut()).answer(t).Get("id_token")
		out["form_post"] = b.get(l.popOut("response_mode", "form_post")).fields(t).Get("id_token")
		status, answer := l.redeem("liveengage", b.get(l.popOut("response_type", "code")).answer(t).Get("code"), windowURI)
		if status == http.StatusOK {
			out["code"] = answer["id_token"].(string)
			_, again, _ := l.token(tokenRequest{
				fields:  map[string]string{"grant_type": "refresh_token", "refresh_token": answer["refresh_token"].(string)},
				headers: map[string]string{"Authorization": basicOf("liveengage", oddSecret, true)},
			})
			out["refresh"] = again["id_token"].(string)
		}
		if status, page, _ := l.ask(b, "https://www.brand.example", "/liveengage/token", form); status == http.StatusOK {
			out["page"], _ = page["id_token"].(string)
		}
		return out
	}
	first := tokens()
	require.Len(t, first, 5)
	for flow, token := range first {
		t.Log(flow)
		l.janes(l.verify(openedJWE(t, token, old, "lpsso2026", "A128CBC-HS256")))
	}
	l.clock.add(seconds(3601)) // the certificate has expired; so has the idle session
	b = l.signedIn()
	for flow, token := range tokens() {
		t.Log(flow)
		l.janes(l.verify(openedJWE(t, token, next, "lpsso2027", "A128CBC-HS256")))
	}
	require.Contains(t, newBrowser(t).get("http://"+l.operations+"/setup").body, "lpsso2027")

	l.clock.add(72 * time.Hour)
	b = newBrowser(t)
	p := b.signIn(l.issuer, l.popOut(), "jane", "jane-password")
	require.Equal(t, "server_error", p.answer(t).Get("error"))
	require.Empty(t, p.answer(t).Get("id_token"))
	require.Equal(t, "server_error", b.get(l.popOut("response_mode", "form_post")).fields(t).Get("error"))
	code := b.get(l.popOut("response_type", "code")).answer(t).Get("code")
	status, answer := l.redeem("liveengage", code, windowURI)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, map[string]any{"error": "server_error", "error_description": answer["error_description"]}, answer, "nothing else, an access token neither")
	status, answer, _ = l.ask(b, "https://www.brand.example", "/liveengage/token", form)
	require.Equal(t, http.StatusInternalServerError, status)
	require.NotContains(t, answer, "id_token")
	require.Contains(t, l.log.String(), "every encryption key of the client has expired", "the operator is told")
	require.Contains(t, newBrowser(t).get("http://"+l.operations+"/setup").body, "no token can be issued")
	require.Contains(t, newBrowser(t).get("http://"+l.operations+"/metrics").body, `idp_encryption_key_remaining_seconds{client="liveengage"} -`)
	plain := newBrowser(t).signIn(l.issuer, l.popOut("client_id", "plain", "nonce", "n"), "jane", "jane-password")
	require.Len(t, strings.Split(plain.answer(t).Get("id_token"), "."), 3, "other clients are not concerned")
}

// TestContentEncryption: the other algorithm may be chosen.
func TestContentEncryption(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	l := withEncryption(t, key, key, "\n      enc: A256GCM")
	token := l.signedIn().get(l.popOut()).answer(t).Get("id_token")
	l.janes(l.verify(openedJWE(t, token, key, "lpsso2026", "A256GCM")))
}

// encryptionKeysRefused: a key that could not be used is refused before anything
// starts, with the place and the remedy, and without a character of it.
func encryptionKeysRefused(t *testing.T) {
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
	for _, c := range []struct{ encryption, wanted string }{
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
		l := &liveperson{t: t, folder: t.TempDir(), operations: "off", issuer: "http://127.0.0.1:9", clock: &clock{}}
		require.NoError(t, os.WriteFile(filepath.Join(l.folder, "private.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
		l.configure("", "\n    id_token_encryption: "+c.encryption)
		code, _, stderr := runCommand(t, "", "config", "check", filepath.Join(l.folder, "idp.yaml"))
		require.Equal(t, 1, code, c.encryption)
		require.Contains(t, stderr, c.wanted)
		require.Regexp(t, `idp\.yaml:\d+:\d+: client "liveengage": `, stderr)
		require.NotContains(t, stderr, good[40:80])
	}
	l := &liveperson{t: t, folder: t.TempDir(), operations: "off", issuer: "http://127.0.0.1:9", clock: &clock{}}
	l.configure("", "\n    id_token_encryption: {keys: [{kid: k, insecure_short_key: true, key: '"+spki(short.Public())+"'}]}")
	code, _, stderr := runCommand(t, "", "config", "check", filepath.Join(l.folder, "idp.yaml"))
	require.Equal(t, 0, code, stderr)
}
