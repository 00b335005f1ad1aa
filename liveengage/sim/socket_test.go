package sim_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/sim"
)

// consumerSocket is a consumer's connection to the simulator.
type consumerSocket struct {
	t        *testing.T
	conn     *websocket.Conn
	last     string   // the last frame
	notified []string // texts of notifications, with the role before them
}

func (b *simulation) dialSocket(token string) *consumerSocket {
	b.t.Helper()
	options := &websocket.DialOptions{HTTPClient: b.network.Client(), HTTPHeader: http.Header{}}
	if token != "" {
		options.HTTPHeader.Set("Authorization", "jwt "+token)
	}
	address := "ws://" + simAddress + "/ws_api/account/" + account + "/messaging/consumer?v=3"
	conn, _, err := websocket.Dial(b.t.Context(), address, options)
	require.NoError(b.t, err)
	b.t.Cleanup(func() { _ = conn.CloseNow() })
	return &consumerSocket{t: b.t, conn: conn}
}

// write sends a frame.
func (c *consumerSocket) write(frame string) error {
	return c.conn.Write(c.t.Context(), websocket.MessageText, []byte(frame))
}

// readFrame returns the next frame.
func (c *consumerSocket) readFrame() map[string]any {
	c.t.Helper()
	_, raw, err := c.conn.Read(c.t.Context())
	require.NoError(c.t, err)
	c.last = string(raw)
	var out map[string]any
	require.NoError(c.t, json.Unmarshal(raw, &out))
	if out["kind"] != "notification" {
		return out
	}
	var notification struct {
		Body struct {
			Changes []struct {
				Metadata struct{ Role string } `json:"originatorMetadata"`
				Event    struct{ Message string }
			}
		}
	}
	require.NoError(c.t, json.Unmarshal(raw, &notification))
	for _, change := range notification.Body.Changes {
		c.notified = append(c.notified, change.Metadata.Role+": "+change.Event.Message)
	}
	return out
}

// waitForNotifications reads until this many messages have arrived.
func (c *consumerSocket) waitForNotifications(n int) {
	c.t.Helper()
	for len(c.notified) < n {
		c.readFrame()
	}
}

// sendRequest sends a request and returns its response.
func (c *consumerSocket) sendRequest(request string) map[string]any {
	c.t.Helper()
	require.NoError(c.t, c.write(request))
	for {
		if out := c.readFrame(); out["kind"] == "resp" {
			return out
		}
	}
}

// closeStatus waits until the simulator closes the socket and returns the status.
func (c *consumerSocket) closeStatus() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, _, err := c.conn.Read(c.t.Context()); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

func (c *consumerSocket) openConversation() string {
	c.t.Helper()
	out := c.sendRequest(`{"kind":"req","id":1,"type":"cm.ConsumerRequestConversation"}`)
	require.Equal(c.t, "1", out["reqId"])
	require.EqualValues(c.t, 200, out["code"])
	require.Equal(c.t, "cm.RequestConversationResponse", out["type"])
	return out["body"].(map[string]any)["conversationId"].(string)
}

func (c *consumerSocket) sendText(conversation, text string) map[string]any {
	c.t.Helper()
	body, err := json.Marshal(map[string]any{
		"dialogId": conversation,
		"event":    map[string]string{"type": "ContentEvent", "contentType": "text/plain", "message": text},
	})
	require.NoError(c.t, err)
	return c.sendRequest(`{"kind":"req","id":"7","type":"ms.PublishEvent","body":` + string(body) + `}`)
}

// subscribeFrame is a request for the messages of a conversation.
func subscribeFrame(conversation string, from int) string {
	return fmt.Sprintf(`{"kind":"req","id":2,"type":"ms.SubscribeMessagingEvents","body":{"dialogId":%q,"fromSeq":%d}}`,
		conversation, from)
}

const getClockFrame = `{"kind":"req","id":"0","type":"GetClock"}`

func TestSocket(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	jane := b.requestToken(authenticatePath(implicitID), goodToken(t, b))
	c := b.dialSocket(jane)
	clock := c.sendRequest(getClockFrame)
	require.Equal(t, "GetClockResponse", clock["type"])
	require.EqualValues(t, start.UnixMilli(), clock["body"].(map[string]any)["currentTime"])
	id := c.openConversation()
	require.EqualValues(t, 0, c.sendText(id, "Hello <there>")["body"].(map[string]any)["sequence"])
	b.submitForm("/agent/"+id+"/answer", url.Values{"text": {"How can I help?"}})
	c.waitForNotifications(2)
	require.Equal(t, []string{"CONSUMER: Hello <there>", "ASSIGNED_AGENT: How can I help?"}, c.notified)

	// After a reconnect, another socket has the same conversation with its messages.
	other := b.dialSocket("")
	first := other.sendRequest(`{"kind":"req","id":"0","type":"InitConnection","headers":[` +
		`{"type":".ams.headers.ClientProperties"},` +
		`{"type":".ams.headers.ConsumerAuthentication","jwt":"` + jane + `"}]}`)
	require.EqualValues(t, 200, first["code"])
	require.Equal(t, id, other.openConversation())
	other.sendRequest(subscribeFrame(id, 1))
	other.waitForNotifications(1)
	require.Equal(t, []string{"ASSIGNED_AGENT: How can I help?"}, other.notified)

	visitor := b.dialSocket(b.signUpVisitor())
	require.EqualValues(t, http.StatusBadRequest, visitor.sendText(id, "mine")["code"], "another consumer's conversation")
	require.EqualValues(t, http.StatusNotFound, visitor.sendRequest(subscribeFrame(id, 0))["code"])
	require.EqualValues(t, http.StatusBadRequest, c.sendText(id, strings.Repeat("x", 9000))["code"])
	require.EqualValues(t, http.StatusNotImplemented, c.sendRequest(`{"kind":"req","id":2,"type":"x.Y"}`)["code"])

	b.advance(time.Hour)
	require.NoError(t, c.write(getClockFrame))
	require.EqualValues(t, 4407, c.closeStatus(), "an expired token")
	for name, token := range map[string]string{
		"expired":                  jane,
		"garbage":                  "abc",
		"the brand's":              signToken(t, b.idp.claims(nil)),
		"another simulator's":      newSimulation(t, func(c *sim.Config) { c.SetSigningKey(otherKey()) }).signUpVisitor(),
		"a visitor's external one": b.requestToken("/api/account/"+account+"/anonymous/authorize", nil),
	} {
		require.EqualValues(t, 4407, b.dialSocket(token).closeStatus(), name)
	}
}

// newTimedSimulation returns a simulation with the default timeouts. The test must run
// in a bubble of testing/synctest. The simulator's clock does not advance with the
// bubble's.
func newTimedSimulation(t *testing.T) *simulation {
	t.Helper()
	// The bubble's clock stops at the end of the test. Closing handshakes time out before.
	t.Cleanup(func() { time.Sleep(time.Hour) })
	return newSimulation(t, func(c *sim.Config) { c.Timeout, c.SocketTimeout = 0, 0 })
}

// TestSocketWithoutToken: a socket has five seconds to send its token.
func TestSocketWithoutToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTimedSimulation(t)
		opened := time.Now()
		require.EqualValues(t, 4407, b.dialSocket("").closeStatus())
		require.Equal(t, 5*time.Second, time.Since(opened))
	})
}

// TestBacklog: earlier messages arrive in order, in several notifications.
func TestBacklog(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	own := b.requestToken(authenticatePath(implicitID), goodToken(t, b))
	c := b.dialSocket(own)
	id := c.openConversation()
	long := strings.Repeat("<é&", 600)
	var want []string
	for i := range 150 {
		text := "short"
		if i >= 120 {
			text = long
		}
		c.sendText(id, text)
		want = append(want, "CONSUMER: "+text)
	}
	other := b.dialSocket(own)
	require.NoError(t, other.write(subscribeFrame(id, 0)))
	for len(other.notified) < len(want) {
		before := len(other.notified)
		other.readFrame()
		require.LessOrEqual(t, len(other.last), 32<<10)
		require.NotContains(t, other.last, `\u003c`)
		require.LessOrEqual(t, len(other.notified)-before, 50)
	}
	require.Equal(t, want, other.notified)
}

// TestBlockedSockets: a client that sends requests but does not read is disconnected, and
// its socket no longer counts.
func TestBlockedSockets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTimedSimulation(t)
		own := b.requestToken(authenticatePath(implicitID), goodToken(t, b))
		c := b.dialSocket(own)
		id := c.openConversation()
		for range 30 {
			c.sendText(id, strings.Repeat("x", 8000))
		}
		c.waitForNotifications(30) // otherwise this client is blocked as well
		for range 2 {
			blocked := b.dialSocket(own)
			var err error
			for err == nil {
				err = blocked.write(subscribeFrame(id, 0))
			}
			synctest.Wait() // until the simulator has removed the socket
		}
		for range 19 {
			require.EqualValues(t, 200, b.dialSocket(own).sendRequest(getClockFrame)["code"])
		}
		require.Equal(t, websocket.StatusTryAgainLater, b.dialSocket(own).closeStatus(), "one more than a consumer may have")
		require.EqualValues(t, 200, b.dialSocket(b.signUpVisitor()).sendRequest(getClockFrame)["code"], "another consumer")
	})
}

// TestTokenExpires: a socket is closed when its token expires, even if nothing is sent.
// After that, no more messages arrive.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newTimedSimulation(t)
		claims := b.idp.claims(map[string]any{"sub": "victor", "exp": start.Unix() + 1})
		silent := b.dialSocket(b.requestToken(authenticatePath(implicitID), map[string]any{"id_token": signToken(t, claims)}))
		opened := time.Now()
		require.EqualValues(t, 4407, silent.closeStatus())
		require.Equal(t, time.Second, time.Since(opened))

		c := b.dialSocket(b.requestToken(authenticatePath(implicitID), goodToken(t, b)))
		id := c.openConversation()
		b.advance(48 * time.Hour)
		b.submitForm("/agent/"+id+"/answer", url.Values{"text": {"Only for Jane."}})
		_, raw, err := c.conn.Read(t.Context())
		require.EqualValues(t, 4407, websocket.CloseStatus(err), string(raw))
	})
}

// TestStepUpClosesSockets: a visitor's sockets do not receive what the consumer says after
// signing in.
func TestStepUpClosesSockets(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	visitor := b.signUpVisitor()
	c := b.dialSocket(visitor)
	id := c.openConversation()
	jane := b.requestToken(authenticatePath(implicitID),
		map[string]any{"id_token": signToken(t, b.idp.claims(nil)), "step_up": visitor})
	b.submitForm("/agent/"+id+"/answer", url.Values{"text": {"Only for Jane."}})
	_, raw, err := c.conn.Read(t.Context())
	require.EqualValues(t, 4407, websocket.CloseStatus(err), string(raw))
	require.Equal(t, id, b.dialSocket(jane).openConversation())
}
