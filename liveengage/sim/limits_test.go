package sim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/sim"
)

// TestBacklog: what was said comes in pages, as it was said, and every line once.
func TestBacklog(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	own := b.requestToken(authenticatePath(implicitID), goodToken(t, b))
	l := b.dialSocket(own)
	id := l.openConversation()
	long := strings.Repeat("<é&", 600)
	for range 120 {
		l.sendText(id, "short")
	}
	for range 30 {
		l.sendText(id, long)
	}
	other := b.dialSocket(own)
	require.NoError(t, other.conn.Write(other.ctx, websocket.MessageText, []byte(`{"kind":"req","id":1,"type":"ms.SubscribeMessagingEvents","body":{"conversationId":"`+id+`","fromSeq":0}}`)))
	for next := 0; next < 150; {
		_, raw, err := other.conn.Read(other.ctx)
		require.NoError(t, err)
		require.LessOrEqual(t, len(raw), 32<<10)
		require.NotContains(t, string(raw), `\u003c`)
		var frame struct {
			Kind string
			Body struct {
				Changes []struct {
					Sequence int
					Event    struct{ Message string }
				}
			}
		}
		require.NoError(t, json.Unmarshal(raw, &frame))
		require.LessOrEqual(t, len(frame.Body.Changes), 50)
		for _, c := range frame.Body.Changes {
			require.Equal(t, next, c.Sequence)
			require.Equal(t, map[bool]string{true: "short", false: long}[next < 120], c.Event.Message)
			next++
		}
	}
}

// TestStuckSockets: a client that asks and asks and reads nothing is dropped, and
// leaves nothing behind.
func TestStuckSockets(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	own := b.requestToken(authenticatePath(implicitID), goodToken(t, b))
	l := b.dialSocket(own)
	id := l.openConversation()
	for range 30 {
		l.sendText(id, strings.Repeat("x", 8000))
	}
	for range 2 {
		stuck := b.dialSocket(own)
		var err error
		for err == nil {
			err = stuck.conn.Write(stuck.ctx, websocket.MessageText, []byte(`{"kind":"req","id":1,"type":"ms.SubscribeMessagingEvents","body":{"conversationId":"`+id+`","fromSeq":0}}`))
		}
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the simulator waits for ever: %v", err)
	}
	for range 19 {
		require.EqualValues(t, 200, b.dialSocket(own).sendRequest(`{"kind":"req","id":1,"type":"GetClock"}`)["code"], "the stuck ones have left")
	}
	require.Equal(t, websocket.StatusTryAgainLater, b.dialSocket(own).closeStatus(), "one more than a consumer may have")
	require.EqualValues(t, 200, b.dialSocket(b.requestToken("/api/account/"+account+"/signup", nil)).sendRequest(`{"kind":"req","id":1,"type":"GetClock"}`)["code"], "others may")
}

// TestTokenEnds: nobody need ask anything for a socket to be closed when its token
// has expired, and nothing is told of any more.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	silent := b.dialSocket(b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signToken(t, b.idp.claims(map[string]any{"sub": "victor", "exp": start.Unix() + 1}))}))
	require.EqualValues(t, 4407, silent.closeStatus())

	l := b.dialSocket(b.requestToken(authenticatePath(implicitID), goodToken(t, b)))
	id := l.openConversation()
	b.advance(48 * time.Hour)
	b.postForm("/agent/"+id+"/answer", url.Values{"text": {"For Jane alone."}})
	_, raw, err := l.conn.Read(l.ctx)
	require.EqualValues(t, 4407, websocket.CloseStatus(err), string(raw))
}

// TestStepUpEndsSockets: who was a visitor has no part in what the customer says.
func TestStepUpEndsSockets(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	visitor := b.requestToken("/api/account/"+account+"/signup", nil)
	l := b.dialSocket(visitor)
	id := l.openConversation()
	jane := b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signToken(t, b.idp.claims(nil)), "step_up": visitor})
	b.postForm("/agent/"+id+"/answer", url.Values{"text": {"For Jane alone."}})
	_, raw, err := l.conn.Read(l.ctx)
	require.EqualValues(t, 4407, websocket.CloseStatus(err), string(raw))
	require.Equal(t, id, b.dialSocket(jane).openConversation())
}

// TestBounds: whatever is poured in, no more than so much is kept.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	first := b.requestToken("/api/account/"+account+"/signup", nil)
	id := b.dialSocket(first).openConversation()
	for range 201 {
		c := b.dialSocket(b.requestToken("/api/account/"+account+"/signup", nil))
		c.openConversation()
		require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	}
	status, _, _ := b.call("GET", "/agent/"+id, nil)
	require.Equal(t, http.StatusNotFound, status, "the oldest conversation fell off")
	status, _, _ = b.call("POST", authenticatePath(implicitID), strings.Repeat(" ", 70<<10))
	require.Equal(t, http.StatusInternalServerError, status)
	for range 210 {
		b.call("POST", authenticatePath(implicitID), map[string]any{})
	}
	_, _, log := b.call("GET", "/log", nil)
	require.Equal(t, 200, strings.Count(log, "<h2>"))
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	_, err := sim.New(sim.Config{Address: "http://127.0.0.1:8090"})
	require.ErrorContains(t, err, "Now is required")
	_, err = sim.New(sim.Config{Address: "http://127.0.0.1:8090", Now: time.Now, Account: "foo"})
	require.ErrorContains(t, err, "Account is a number")
}
