package keys_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

// BenchmarkSign compares with BenchmarkBareSignature, the minimum for any signer.
func BenchmarkSign(b *testing.B) {
	r := open(b, &memory{})
	payload := make([]byte, 800)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Sign(b.Context(), "RS256", keys.TypeJWT, payload); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBareSignature(b *testing.B) {
	key, err := fixed("RS256")
	require.NoError(b, err)
	private := key.(*rsa.PrivateKey)
	payload := make([]byte, 800)
	b.ReportAllocs()
	for b.Loop() {
		sum := sha256.Sum256(payload)
		if _, err := rsa.SignPKCS1v15(nil, private, crypto.SHA256, sum[:]); err != nil {
			b.Fatal(err)
		}
	}
}
