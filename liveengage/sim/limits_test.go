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
	b := newBench(t, nil)
	own := b.own(path(implicitID), good(t, b))
	l := b.dial(own)
	id := l.open()
	long := strings.Repeat("<é&", 600)
	for range 120 {
		l.say(id, "short")
	}
	for range 30 {
		l.say(id, long)
	}
	other := b.dial(own)
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
	b := newBench(t, nil)
	own := b.own(path(implicitID), good(t, b))
	l := b.dial(own)
	id := l.open()
	for range 30 {
		l.say(id, strings.Repeat("x", 8000))
	}
	for range 2 {
		stuck := b.dial(own)
		var err error
		for err == nil {
			err = stuck.conn.Write(stuck.ctx, websocket.MessageText, []byte(`{"kind":"req","id":1,"type":"ms.SubscribeMessagingEvents","body":{"conversationId":"`+id+`","fromSeq":0}}`))
		}
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the simulator waits for ever: %v", err)
	}
	for range 19 {
		require.EqualValues(t, 200, b.dial(own).ask(`{"kind":"req","id":1,"type":"GetClock"}`)["code"], "the stuck ones have left")
	}
	require.Equal(t, websocket.StatusTryAgainLater, b.dial(own).closed(), "one more than a consumer may have")
	require.EqualValues(t, 200, b.dial(b.own("/api/account/"+account+"/signup", nil)).ask(`{"kind":"req","id":1,"type":"GetClock"}`)["code"], "others may")
}

// TestTokenEnds: nobody need ask anything for a socket to be closed when its token
// has expired, and nothing is told of any more.
func TestTokenEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	silent := b.dial(b.own(path(implicitID), map[string]any{"id_token": sign(t, b.idp.claims(map[string]any{"sub": "victor", "exp": start.Unix() + 1}))}))
	require.EqualValues(t, 4407, silent.closed())

	l := b.dial(b.own(path(implicitID), good(t, b)))
	id := l.open()
	b.wait(48 * time.Hour)
	b.form("/agent/"+id+"/answer", url.Values{"text": {"For Jane alone."}})
	_, raw, err := l.conn.Read(l.ctx)
	require.EqualValues(t, 4407, websocket.CloseStatus(err), string(raw))
}

// TestStepUpEndsSockets: who was a visitor has no part in what the customer says.
func TestStepUpEndsSockets(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	visitor := b.own("/api/account/"+account+"/signup", nil)
	l := b.dial(visitor)
	id := l.open()
	jane := b.own(path(implicitID), map[string]any{"id_token": sign(t, b.idp.claims(nil)), "step_up": visitor})
	b.form("/agent/"+id+"/answer", url.Values{"text": {"For Jane alone."}})
	_, raw, err := l.conn.Read(l.ctx)
	require.EqualValues(t, 4407, websocket.CloseStatus(err), string(raw))
	require.Equal(t, id, b.dial(jane).open())
}

// TestBounds: whatever is poured in, no more than so much is kept.
func TestBounds(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	first := b.own("/api/account/"+account+"/signup", nil)
	id := b.dial(first).open()
	for range 201 {
		c := b.dial(b.own("/api/account/"+account+"/signup", nil))
		c.open()
		require.NoError(t, c.conn.Close(websocket.StatusNormalClosure, ""))
	}
	status, _, _ := b.call("GET", "/agent/"+id, nil)
	require.Equal(t, http.StatusNotFound, status, "the oldest conversation fell off")
	status, _, _ = b.call("POST", path(implicitID), strings.Repeat(" ", 70<<10))
	require.Equal(t, http.StatusInternalServerError, status)
	for range 210 {
		b.call("POST", path(implicitID), map[string]any{})
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
