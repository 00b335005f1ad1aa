package secret_test

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
)

func TestIsWords(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "oauth_problem=consumer_key_unknown", "AC_CONNECTOR_TYPE_NOT_FOUND", "unsupported_response_type",
		"Failed-To-Validate-The-Customer", "HMAC-SHA1", "signature_method_rejected",
		"oauth_problem=nonce_used&oauth_problem_advice=The", "2026-11-26",
	} {
		require.True(t, secret.IsWords(text), text)
	}
	for range 2000 {
		var random [24]byte
		_, _ = rand.Read(random[:])
		require.False(t, secret.IsWords(base64.RawURLEncoding.EncodeToString(random[:])))
		require.False(t, secret.IsWords(hex.EncodeToString(random[:])))
		require.False(t, secret.IsWords(rand.Text()))
	}
	for _, text := range []string{"12345678", "abcdefghijklmnopqrstuvwxyz", "aB_cd", "eyJhbGci.eyJzdWIi.c2lnbmF0"} {
		require.False(t, secret.IsWords(text), text)
	}
}
