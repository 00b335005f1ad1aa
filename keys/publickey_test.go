package keys_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

// encodeKey returns any public key, valid or not, as base64 on one line.
func encodeKey(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	require.NoError(t, err)
	return base64.StdEncoding.EncodeToString(der)
}

func TestParsePublicKeyFormats(t *testing.T) {
	t.Parallel()
	r := open(t, &memory{})
	for name, c := range map[string]struct{ text, algorithm string }{
		"PEM":                {r.ActiveKey("RS256").PEM(), "RS256"},
		"PEM with CRLF":      {strings.ReplaceAll(r.ActiveKey("RS256").PEM(), "\n", "\r\n"), "RS256"},
		"PEM of a P-256 key": {r.ActiveKey("ES256").PEM(), "ES256"},
		"one line":           {r.ActiveKey("RS256").Base64(), "RS256"},
		"one line, pasted":   {" " + r.ActiveKey("ES256").Base64() + "\n", "ES256"},
		"certificate":        {read(t, "certificate.pem"), "RS256"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := keys.ParsePublicKey(c.text)
			require.NoError(t, err)
			want := r.ActiveKey(c.algorithm)
			require.Equal(t, keys.PublicKey{ID: want.ID, Algorithm: c.algorithm, Key: got.Key}, got)
			require.Equal(t, want.Base64(), got.Base64())
			require.Equal(t, want.Fingerprint(), got.Fingerprint())
		})
	}
}

func TestParsePublicKeyRejects(t *testing.T) {
	t.Parallel()
	r := open(t, &memory{})
	good, text := r.ActiveKey("RS256").Base64(), r.ActiveKey("RS256").PEM()
	der, err := base64.StdEncoding.DecodeString(good)
	require.NoError(t, err)
	pkcs1, _ := pem.Decode([]byte(read(t, "pkcs1.pem")))
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	n := r.ActiveKey("RS256").Key.(*rsa.PublicKey).N
	short := new(big.Int).SetBit(new(big.Int).Lsh(big.NewInt(1), 2046), 0, 1)
	for name, c := range map[string]struct{ text, want string }{
		"nothing":              {"", "make one with"},
		"words":                {"my key", "not base64 on one line"},
		"two lines":            {good[:64] + "\n" + good[64:], "not base64 on one line"},
		"base64url":            {strings.NewReplacer("+", "-", "/", "_").Replace(good), "not base64"},
		"an extra byte":        {base64.StdEncoding.EncodeToString(append(der, 0)), "SubjectPublicKeyInfo"},
		"PKCS #1":              {read(t, "pkcs1.pem"), "-RSAPublicKey_in"},
		"PKCS #1 on one line":  {base64.StdEncoding.EncodeToString(pkcs1.Bytes), "-RSAPublicKey_in"},
		"a private key":        {read(t, "rs256.pem"), "private key"},
		"another block":        {strings.ReplaceAll(text, "PUBLIC KEY", "X509 CRL"), "with neither a public key"},
		"two blocks":           {text + text, "not exactly one PEM block"},
		"a block and words":    {text + "more", "not exactly one PEM block"},
		"half a block":         {text[:100], "not exactly one PEM block"},
		"a block with headers": {strings.Replace(text, "KEY-----\n", "KEY-----\nA: b\n\n", 1), "canonical"},
		"RSA of 1024 bits":     {read(t, "rsa1024.pem"), "1024 bits"},
		"RSA of 2047 bits":     {encodeKey(t, &rsa.PublicKey{N: short, E: 65537}), "2047 bits"},
		"RSA with exponent 1":  {encodeKey(t, &rsa.PublicKey{N: n, E: 1}), "impossible modulus or exponent"},
		"RSA with exponent 2":  {encodeKey(t, &rsa.PublicKey{N: n, E: 2}), "impossible modulus or exponent"},
		"P-384":                {read(t, "p384.pem"), "P-256"},
		"Ed25519":              {encodeKey(t, ed), "neither an RSA"},
		"half a certificate":   {string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := keys.ParsePublicKey(c.text)
			require.ErrorContains(t, err, c.want)
			require.Zero(t, got)
		})
	}
}

func TestParsePublicKeyRejectsStrayBits(t *testing.T) {
	t.Parallel()
	text := open(t, &memory{}).ActiveKey("ES256").PEM()
	i := strings.Index(text, "==")
	require.Positive(t, i, "the PEM of a P-256 key ends with padding")
	for _, last := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		changed := text[:i-1] + string(last) + text[i:]
		if changed == text {
			continue
		}
		got, err := keys.ParsePublicKey(changed)
		require.True(t, err != nil || got.PEM() != text, string(last))
	}
}

func TestZeroPublicKey(t *testing.T) {
	t.Parallel()
	var none keys.PublicKey
	require.Empty(t, none.PEM()+none.Base64()+none.Fingerprint())
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	require.NotEmpty(t, keys.PublicKey{Key: key.Public()}.Base64())
}

// FuzzParsePublicKey checks that each key has only one accepted encoding, except for white
// space and for the rest of a certificate: another byte means an error or another key.
func FuzzParsePublicKey(f *testing.F) {
	r := open(f, &memory{})
	for _, p := range r.PublicKeys() {
		f.Add(p.Base64(), uint16(40), byte('A'))
		f.Add(p.PEM(), uint16(60), byte('B'))
	}
	for _, name := range []string{"certificate.pem", "pkcs1.pem", "rsa1024.pem", "p384.pem"} {
		f.Add(read(f, name), uint16(3), byte('='))
	}
	f.Fuzz(func(t *testing.T, text string, at uint16, to byte) {
		p, err := keys.ParsePublicKey(text)
		if err != nil {
			require.Zero(t, p)
			return
		}
		again, err := keys.ParsePublicKey(p.Base64())
		require.NoError(t, err)
		require.Equal(t, p, again)
		again, err = keys.ParsePublicKey(p.PEM())
		require.NoError(t, err)
		require.Equal(t, p, again)

		i := int(at) % len(text)
		from := text[i]
		if from == to || unicode.IsSpace(rune(from)) || unicode.IsSpace(rune(to)) || strings.Contains(text, "CERTIFICATE") {
			return
		}
		changed, err := keys.ParsePublicKey(text[:i] + string([]byte{to}) + text[i+1:])
		require.True(t, err != nil || changed.Base64() != p.Base64(), "byte %d", i)
	})
}
