package inspect_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
)

func file(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "keys", "testdata", name))
	require.NoError(t, err)
	return string(text)
}

// certificate is the certificate of package keys' tests.
func certificate(t testing.TB) string { return strings.TrimSpace(file(t, "certificate.pem")) }

func TestReadKeysTakesEveryForm(t *testing.T) {
	t.Parallel()
	want := public("", signer())
	weak, err := x509.MarshalPKIXPublicKey(&small().PublicKey)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		text, id, fingerprint string
		notes                 int
	}{
		"one line":       {want.Base64() + "\n", "", want.Fingerprint(), 0},
		"PEM":            {want.PEM(), "", want.Fingerprint(), 0},
		"key set":        {setOf(t, base64.RawURLEncoding, signer()), "k1", want.Fingerprint(), 0},
		"one JWK":        {strings.TrimSuffix(strings.TrimPrefix(setOf(t, base64.RawURLEncoding, signer()), `{"keys":[`), "]}"), "k1", want.Fingerprint(), 0},
		"weak, one line": {base64.StdEncoding.EncodeToString(weak), "", public("", small()).Fingerprint(), 0},
		"weak, PEM":      {string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: weak})), "", public("", small()).Fingerprint(), 0},
		"PKCS #1":        {string(pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&signer().PublicKey)})), "", want.Fingerprint(), 1},
		"broken line":    {want.Base64()[:9] + " " + want.Base64()[9:], "", want.Fingerprint(), 1},
		"padded base64":  {setOf(t, base64.URLEncoding, signer()), "k1", want.Fingerprint(), 1},
	} {
		found, notes, err := inspect.ParseKeys(c.text)
		require.NoError(t, err, name)
		require.Len(t, found, 1, name)
		require.Equal(t, c.fingerprint, found[0].Fingerprint(), name)
		require.Equal(t, c.id, found[0].ID, name)
		require.Len(t, notes, c.notes, name)
	}
	found, _, err := inspect.ParseKeys(certificate(t))
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestReadKeysRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                        "SubjectPublicKeyInfo",
		"nothing!":                "base64",
		tutorialKey + ".":         "base64", // so it stands in the tutorial
		file(t, "rs256.pem"):      "private key",
		"{":                       "not a JSON Web Key Set",
		`{"keys":[]}`:             "no RSA key",
		`{"keys":[{"kty":"EC"}]}`: "no RSA key",
		`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}]}`: "private",
		`{"keys":[{"kty":"oct","k":"AQAB"}]}`:                       "symmetric",
		`{"keys":[` + strings.Repeat(`{},`, 64) + `{}]}`:            "at most 64",
	} {
		_, _, err := inspect.ParseKeys(text)
		require.ErrorContains(t, err, want, text)
	}
}
