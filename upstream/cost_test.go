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

// TestEveryRefusalCostsTheSame: whatever the reason for a refusal and the costs of the
// stored hashes, the comparisons cost as much as the most expensive hash of each number
// of lanes.
func TestEveryRefusalCostsTheSame(t *testing.T) {
	t.Parallel()
	hash, err := password.Hash("right")
	require.NoError(t, err)
	dear := password.Dummy(password.Cost{Memory: 32768, Passes: 3, Lanes: 1})
	odd := password.Dummy(password.Cost{Memory: 20001, Passes: 2, Lanes: 1})
	lanes := password.Dummy(password.Cost{Memory: 16384, Passes: 3, Lanes: 2})
	l := NewLocal(accounts{byName: map[string]Account{
		"ann": {PasswordHash: hash}, "dear": {PasswordHash: dear.String()}, "odd": {PasswordHash: odd.String()},
		"lanes": {PasswordHash: lanes.String()}, "none": {},
	}}, 1)
	for _, h := range []string{hash, dear.String(), odd.String(), lanes.String(), ""} {
		l.Expect(h)
	}
	compare := l.matches
	for _, c := range []struct{ username, password string }{
		{"ann", "wrong"},
		{"dear", "wrong"},
		{"odd", "wrong"},
		{"lanes", "wrong"},
		{"ann", ""},
		{"ann", strings.Repeat("x", 1<<20)},
		{"bob", "wrong"},
		{"none", "wrong"},
		{"", ""},
	} {
		spent := map[uint8]uint64{}
		l.matches = func(h password.PHC, plain string) bool {
			spent[h.Cost().Lanes] += h.Cost().Work()
			require.LessOrEqual(t, len(plain), password.MaxLength)
			return compare(h, plain)
		}
		_, err := l.Authenticate(t.Context(), "192.0.2.1", c.username, c.password, func() error { return nil })
		require.ErrorIs(t, err, ErrRefused)
		require.InDelta(t, dear.Cost().Work(), spent[1], 4, "%q", c.username)
		require.Equal(t, lanes.Cost().Work(), spent[2], "%q", c.username)
	}
}
