package claims_test

import (
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
)

func TestDemoPeople(t *testing.T) {
	t.Parallel()
	people := demoPeople(t)
	require.GreaterOrEqual(t, len(people), 7)
	subjects := map[string]bool{}
	for _, d := range people {
		require.False(t, subjects[d.Subject], "%s shares a subject", d.Username)
		subjects[d.Subject] = true
		t.Run(d.Username, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, d.person().Validate())
			require.NotEmpty(t, d.Note)
			require.NotContains(t, d.Note, "\n")
			require.Equal(t, d.Username+"-password", d.Password)
			require.True(t, passwordMatches(t, d.PasswordHash, d.Password))
		})
	}
	t.Run("jane has all 19 standard claims", func(t *testing.T) {
		t.Parallel()
		require.Len(t, members(t, demo(t, "jane").Standard), 19)
	})
	t.Run("jane's lp_sdes", func(t *testing.T) {
		t.Parallel()
		golden(t, "jane_lp_sdes", demo(t, "jane").SDEs())
	})
	t.Run("noa's lp_sdes", func(t *testing.T) {
		t.Parallel()
		golden(t, "noa_lp_sdes", demo(t, "noa").SDEs())
	})
	t.Run("ghost has nothing for LiveEngage", func(t *testing.T) {
		t.Parallel()
		require.True(t, demo(t, "ghost").SDEs().Empty())
	})
}

// passwordMatches checks a password against a PHC string with the parameters of the demo.
func passwordMatches(t *testing.T, phc, password string) bool {
	t.Helper()
	rest, ok := strings.CutPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$")
	require.True(t, ok, phc)
	salt64, hash64, _ := strings.Cut(rest, "$")
	salt, err := base64.RawStdEncoding.DecodeString(salt64)
	require.NoError(t, err)
	require.Len(t, salt, 16)
	hash, err := base64.RawStdEncoding.DecodeString(hash64)
	require.NoError(t, err)
	require.Len(t, hash, 32)
	return subtle.ConstantTimeCompare(hash, argon2.IDKey([]byte(password), salt, 2, 19456, 1, 32)) == 1
}
