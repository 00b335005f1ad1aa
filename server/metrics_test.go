package server

import (
	"crypto/rand"
	"crypto/rsa"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

// TestSecondsEncryptable: the gauge ends at the first moment without a
// valid key, also where a later key would begin after a gap.
func TestSecondsEncryptable(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	from := func(id string, begin, end time.Duration) keys.Recipient {
		r, err := keys.ParseRecipient(id, keys.PublicKey{Key: key.Public()}.Base64(), false)
		require.NoError(t, err)
		r.NotBefore = now.Add(begin)
		if end != 0 {
			r.NotAfter = now.Add(end)
		}
		return r
	}
	for name, c := range map[string]struct {
		keys   []keys.Recipient
		wanted float64
	}{
		"one":               {[]keys.Recipient{from("a", -time.Hour, time.Hour)}, 3600},
		"one after another": {[]keys.Recipient{from("a", -time.Hour, time.Hour), from("b", time.Minute, 2*time.Hour)}, 7200},
		"a gap":             {[]keys.Recipient{from("a", -time.Hour, time.Hour), from("b", 2*time.Hour, 9*time.Hour)}, 3600},
		"none yet":          {[]keys.Recipient{from("a", -2*time.Hour, -time.Hour), from("b", time.Hour, 2*time.Hour)}, -1},
		"for ever":          {[]keys.Recipient{from("a", -time.Hour, time.Hour), from("b", -time.Hour, 0)}, math.Inf(1)},
	} {
		e, err := keys.NewEncrypter("A256GCM", c.keys)
		require.NoError(t, err)
		require.Equal(t, c.wanted, secondsEncryptable(e, now), name)
	}
}
