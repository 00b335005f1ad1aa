package sim

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOnceOnly: no nonce is forgotten while its timestamp is good, however many come.
func TestOnceOnly(t *testing.T) {
	t.Parallel()
	o := &nonceStore{limit: 2, expiries: map[string]time.Time{}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ask := func(text string) (bool, bool) { return o.addNonce(text, now, now.Add(oauthSkew)) }
	for _, c := range []struct {
		text        string
		wait        time.Duration
		fresh, full bool
	}{
		{"a", 0, true, false},
		{"b", 0, true, false},
		{"a", 0, false, false},
		{"c", 0, false, true},
		{"a", oauthSkew, false, false},
		{"c", time.Second, true, false},
		{"a", 0, true, false},
		{"b", 0, false, true},
	} {
		now = now.Add(c.wait)
		fresh, full := ask(c.text)
		require.Equal(t, []bool{c.fresh, c.full}, []bool{fresh, full}, c.text)
	}
}

// TestShelf: what is used stays.
func TestShelf(t *testing.T) {
	t.Parallel()
	s := newLRUCache[int](2)
	s.put("a", 1)
	s.put("b", 2)
	_, ok := s.touch("a")
	require.True(t, ok)
	s.put("c", 3)
	require.Equal(t, []int{3, 1}, s.newestFirst())
	s.put("a", 4)
	s.put("d", 5)
	require.Equal(t, []int{5, 4}, s.newestFirst())
	_, ok = s.touch("b")
	require.False(t, ok)
}
