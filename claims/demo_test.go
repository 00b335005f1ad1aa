package claims_test

import (
	"testing"

	"idpbridge/internal/password"

	"github.com/stretchr/testify/require"
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
			hash, err := password.Parse(d.PasswordHash)
			require.NoError(t, err)
			require.True(t, hash.Matches(d.Password))
			require.Contains(t, d.PasswordHash, "$m=19456,t=2,p=1$")
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
