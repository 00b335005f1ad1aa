package sim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/sim"
)

// TestLimits: however much is sent, only so much is kept.
func TestLimits(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	id := b.dialSocket(b.signUpVisitor()).openConversation()
	for range 201 {
		c := b.dialSocket(b.signUpVisitor())
		c.openConversation()
		require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	}
	status, _, _ := b.call("GET", "/agent/"+id, nil)
	require.Equal(t, http.StatusNotFound, status, "the oldest conversation was dropped")
	status, _, _ = b.call("POST", authenticatePath(implicitID), strings.Repeat(" ", 70<<10))
	require.Equal(t, http.StatusInternalServerError, status)
	for range 210 {
		b.call("POST", authenticatePath(implicitID), map[string]any{})
	}
	_, _, log := b.call("GET", "/log", nil)
	require.Equal(t, 200, strings.Count(log, "<h2>"))
}

// TestActiveConsumersAreKept: consumers, conversations and sessions in use are not
// dropped for new ones.
func TestActiveConsumersAreKept(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	jane := goodToken(t, b)
	c := b.dialSocket(b.requestToken(authenticatePath(implicitID), jane))
	id, bearer := c.openConversation(), b.logIn()
	for round := range 3 {
		for range 260 {
			b.signUpVisitor()
		}
		for range 60 {
			b.logIn()
		}
		if round == 0 {
			b.requestToken(authenticatePath(implicitID), jane)
		} else {
			c.sendText(id, "Still here.")
		}
		status, _, _ := b.call("POST", searchPath, map[string]any{}, "Authorization", bearer)
		require.Equal(t, http.StatusOK, status, round)
	}
	_, _, text := b.call("GET", "/agent/"+id, nil)
	require.Contains(t, text, "Jane Doe")
}

func TestNewChecksConfig(t *testing.T) {
	t.Parallel()
	_, err := sim.New(sim.Config{Address: "http://127.0.0.1:8090"})
	require.ErrorContains(t, err, "Now is required")
	_, err = sim.New(sim.Config{Address: "http://127.0.0.1:8090", Now: time.Now, Account: "foo"})
	require.ErrorContains(t, err, "Account must be a number")
}
