package keys_test

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

// TestEncrypter checks concurrent use: each token decrypts to its payload, and no two
// are the same. Without a valid key there is no token.
func TestEncrypter(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	line := keys.PublicKey{Key: private.Public()}.Base64()
	old, err := keys.ParseRecipient("old", line, false)
	require.NoError(t, err)
	next := old
	old.NotAfter, next.ID, next.NotBefore, next.NotAfter = now, "next", now, now.Add(time.Hour)
	e, err := keys.NewEncrypter("A256GCM", []keys.Recipient{old, next})
	require.NoError(t, err)

	var group sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]bool{}
	for range 16 {
		group.Go(func() {
			for range 8 {
				token, err := e.Encrypt(now, "a.b.c")
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				seen[token] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	require.Len(t, seen, 16*8)
	for token := range seen {
		jwe, err := jose.ParseEncryptedCompact(token,
			[]jose.KeyAlgorithm{jose.RSA_OAEP_256}, []jose.ContentEncryption{jose.A256GCM})
		require.NoError(t, err)
		require.Equal(t, "next", jwe.Header.KeyID, "a key is used until its end, but not at that moment")
		inner, err := jwe.Decrypt(private)
		require.NoError(t, err)
		require.Equal(t, "a.b.c", string(inner))
	}
	for _, at := range []time.Time{now.Add(time.Hour), now.Add(-time.Second)} {
		token, err := e.Encrypt(at, "a.b.c")
		if at.Before(now) {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, "every encryption key")
		require.Empty(t, token)
		require.NotContains(t, err.Error(), "a.b.c")
	}
	_, err = keys.NewEncrypter("A256GCM", nil)
	require.Error(t, err)
	_, err = keys.NewEncrypter("none", []keys.Recipient{old})
	require.Error(t, err)
	_, err = keys.NewEncrypter("A256GCM", []keys.Recipient{{ID: "no key"}})
	require.Error(t, err)
}
