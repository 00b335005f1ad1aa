package inspect_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/inspect"
)

func encodePEM(blockType string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der}))
}

func TestParseKeysAcceptsEveryForm(t *testing.T) {
	t.Parallel()
	brand := publicKey("", brandKey())
	weak, err := x509.MarshalPKIXPublicKey(&smallKey().PublicKey)
	require.NoError(t, err)
	set := keySetOf(t, base64.RawURLEncoding, brandKey())
	oneJWK := strings.TrimSuffix(strings.TrimPrefix(set, `{"keys":[`), "]}")
	strong, small := brand.Fingerprint(), publicKey("", smallKey()).Fingerprint()
	for name, c := range map[string]struct {
		text, id, fingerprint string
		findings              int
	}{
		"one line":       {brand.Base64() + "\n", "", strong, 0},
		"PEM":            {brand.PEM(), "", strong, 0},
		"key set":        {set, "k1", strong, 0},
		"one JWK":        {oneJWK, "k1", strong, 0},
		"weak, one line": {base64.StdEncoding.EncodeToString(weak), "", small, 0},
		"weak, PEM":      {encodePEM("PUBLIC KEY", weak), "", small, 0},
		"PKCS #1":        {encodePEM("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&brandKey().PublicKey)), "", strong, 1},
		"broken line":    {brand.Base64()[:9] + " " + brand.Base64()[9:], "", strong, 1},
		"padded base64":  {keySetOf(t, base64.URLEncoding, brandKey()), "k1", strong, 1},
	} {
		found, findings, err := inspect.ParseKeys(c.text)
		require.NoError(t, err, name)
		require.Len(t, found, 1, name)
		require.Equal(t, c.fingerprint, found[0].Fingerprint(), name)
		require.Equal(t, c.id, found[0].ID, name)
		require.Len(t, findings, c.findings, name)
	}
	found, _, err := inspect.ParseKeys(readCertificate(t))
	require.NoError(t, err)
	require.Len(t, found, 1)
}

func TestParseKeysRejects(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "SubjectPublicKeyInfo",
		"nothing!":                  "base64",
		tutorialKey + ".":           "base64", // as printed in the tutorial
		readFixture(t, "rs256.pem"): "private key",
		"{":                         "not a JSON Web Key Set",
		`{"keys":[]}`:               "no RSA key",
		`{"keys":[{"kty":"EC"}]}`:   "no RSA key",
		`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","d":"AQAB"}]}`: "private",
		`{"keys":[{"kty":"oct","k":"AQAB"}]}`:                       "symmetric",
		`{"keys":[` + strings.Repeat(`{},`, 64) + `{}]}`:            "at most 64",
	} {
		_, _, err := inspect.ParseKeys(text)
		require.ErrorContains(t, err, want, text)
	}
}

// TestParseKeysRejectsACertificateWithoutAKey: x509 returns no key if it does not know
// the key's algorithm.
func TestParseKeysRejectsACertificateWithoutAKey(t *testing.T) {
	t.Parallel()
	block, _ := pem.Decode([]byte(readCertificate(t)))
	// The object identifier of rsaEncryption, with another last number.
	rsa := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01}
	unknown := append(rsa[:len(rsa)-1:len(rsa)-1], 0x7f)
	der := strings.Replace(string(block.Bytes), string(rsa), string(unknown), 1)
	require.NotEqual(t, string(block.Bytes), der)
	found, _, err := inspect.ParseKeys(encodePEM("CERTIFICATE", []byte(der)))
	require.Error(t, err)
	require.Empty(t, found)
}
