package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// TestTwoWeeks: for two weeks of fake time a consumer chats on. Each hour the token
// ends and is renewed; each day the brand's key changes, and both are published for
// a while; sockets are lost and found. No line is lost and the conversation stays one.
func TestTwoWeeks(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	signing := []struct {
		key func() string
		set string
	}{
		{func() string { return signWith(t, brandKey(), "brand-1", b.idp.claims(b.hourClaims())) }, encodeKeySet(publicJWK(brandKey(), "brand-1"), publicJWK(otherKey(), "brand-2"))},
		{func() string { return signWith(t, otherKey(), "brand-2", b.idp.claims(b.hourClaims())) }, encodeKeySet(publicJWK(otherKey(), "brand-2"))},
	}
	conversation, said := "", 0
	var l *consumerSocket
	for hour := range 14 * 24 {
		if l != nil {
			// The old token's hour is over: the socket is closed at the next request.
			require.NoError(t, l.conn.Write(l.ctx, websocket.MessageText, []byte(`{"kind":"req","id":"x","type":"GetClock"}`)))
			require.EqualValues(t, 4407, l.closeStatus(), "hour %d", hour)
		}
		now := signing[hour/24%2]
		b.idp.mu.Lock()
		b.idp.jwks = now.set
		b.idp.mu.Unlock()
		own := b.requestToken(authenticatePath(keySetID), map[string]any{"id_token": now.key()})
		for range 1 + hour%2 {
			l = b.dialSocket(own)
			id := l.openConversation()
			if conversation == "" {
				conversation = id
			}
			require.Equal(t, conversation, id, "hour %d", hour)
			require.EqualValues(t, said, l.sendText(id, fmt.Sprintf("hour %d", hour))["body"].(map[string]any)["sequence"], "hour %d", hour)
			said++
			if hour%2 == 1 {
				_ = l.conn.CloseNow() // the network failed
				l = nil
			}
		}
		b.advance(time.Hour)
	}
	require.Greater(t, said, 500)
	require.LessOrEqual(t, b.idp.keySetRequests["jwks"], 14*24+14, "the key set is kept, not fetched for each token")
	_, _, list := b.call("GET", "/agent", nil)
	require.Contains(t, list, conversation)
}

// hourClaims is when a token is issued now and ends in an hour.
func (b *simulation) hourClaims() map[string]any {
	now := b.clock().Unix()
	return map[string]any{"iat": now, "exp": now + 3600}
}
