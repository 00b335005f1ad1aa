package sim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestLRUCache: the least recently used item is dropped.
func TestLRUCache(t *testing.T) {
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

// TestNonceStore: no nonce is forgotten while its timestamp is valid, however many there
// are.
func TestNonceStore(t *testing.T) {
	t.Parallel()
	n := &nonceStore{limit: 2, expiries: map[string]time.Time{}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		nonce       string
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
		fresh, full := n.addNonce(c.nonce, now, now.Add(oauthSkew))
		require.Equal(t, []bool{c.fresh, c.full}, []bool{fresh, full}, c.nonce)
	}
}

// TestSocketLimit: the simulator rejects more sockets than its limit.
func TestSocketLimit(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := New(Config{Address: "http://sim.example", Now: func() time.Time { return now }})
	require.NoError(t, err)
	for range maxSockets {
		require.True(t, s.acquireSocket())
	}
	w := httptest.NewRecorder()
	const address = "http://sim.example/ws_api/account/12345678/messaging/consumer?v=3"
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, address, nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	s.releaseSocket()
	require.True(t, s.acquireSocket())
}

// TestConversationLimits: a conversation drops its oldest messages, by number and by
// size.
func TestConversationLimits(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", strings.Repeat("x", maxMessage)} {
		c := &conversation{}
		for i := range 3 * maxMessages {
			c.appendMessage(message{Sequence: i, Text: text})
		}
		require.LessOrEqual(t, len(c.Messages), maxMessages)
		require.LessOrEqual(t, c.size, maxConversationText)
		require.Equal(t, len(c.Messages)*len(text), c.size)
		require.Equal(t, 3*maxMessages-1, c.Messages[len(c.Messages)-1].Sequence)
		require.Equal(t, 3*maxMessages, c.NextSequence)
	}
}
