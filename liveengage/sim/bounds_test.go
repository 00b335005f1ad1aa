package sim

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMostSockets: one more than the simulator keeps is told so.
func TestMostSockets(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s, err := New(Config{Address: "http://sim.example", Now: func() time.Time { return now }})
	require.NoError(t, err)
	for range maxSockets {
		require.True(t, s.acquireSocket())
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://sim.example/ws_api/account/12345678/messaging/consumer?v=3", nil))
	require.Equal(t, http.StatusServiceUnavailable, w.Code)
	s.releaseSocket()
	require.True(t, s.acquireSocket())
}

// TestTalkIsBounded: a conversation forgets its oldest lines, by number and by size.
func TestTalkIsBounded(t *testing.T) {
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
