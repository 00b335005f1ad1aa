package upstream

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/password"
)

// accounts is a directory in memory. It embeds the interface for the unused methods.
type accounts struct {
	People
	byName map[string]Account
}

func (a accounts) AccountByUsername(_ context.Context, username string) (Account, error) {
	if account, ok := a.byName[username]; ok {
		return account, nil
	}
	return Account{}, ErrNotFound
}

// TestEveryRefusalCostsTheSame: whatever the reason for a refusal, there is one
// comparison with a hash that costs what password.Hash makes it cost.
func TestEveryRefusalCostsTheSame(t *testing.T) {
	t.Parallel()
	hash, err := password.Hash("right")
	require.NoError(t, err)
	usual, _, ok := strings.Cut(hash, "p=1$")
	require.True(t, ok)
	l := NewLocal(accounts{byName: map[string]Account{"ann": {PasswordHash: hash}, "none": {}}}, 1)
	compare := l.matches
	for _, c := range []struct{ username, password string }{
		{"ann", "wrong"},
		{"ann", ""},
		{"ann", strings.Repeat("x", 1<<20)},
		{"bob", "wrong"},
		{"none", "wrong"},
		{"", ""},
	} {
		comparisons := 0
		l.matches = func(h password.PHC, plain string) bool {
			comparisons++
			require.True(t, strings.HasPrefix(h.String(), usual), "the usual cost")
			require.LessOrEqual(t, len(plain), password.MaxLength)
			return compare(h, plain)
		}
		_, err := l.Authenticate(t.Context(), c.username, c.password, func() error { return nil })
		require.ErrorIs(t, err, ErrRefused)
		require.Equal(t, 1, comparisons, "%q", c.username)
	}
}
