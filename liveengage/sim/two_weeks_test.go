package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestTwoWeeks: a consumer chats for two weeks. The token expires every hour, the brand's
// key changes every day, and connections are lost. No message is lost, and it stays one
// conversation.
func TestTwoWeeks(t *testing.T) {
	t.Parallel()
	b := newSimulation(t, nil)
	first, second := publicJWK(brandKey(), "brand-1"), publicJWK(otherKey(), "brand-2")
	conversation, sent := "", 0
	var c *consumerSocket
	for hour := range 14 * 24 {
		if c != nil {
			// The token has expired: the socket is closed at the next request.
			require.NoError(t, c.write(getClockFrame))
			require.EqualValues(t, 4407, c.closeStatus(), "hour %d", hour)
		}
		key, kid, keySet := brandKey(), "brand-1", encodeKeySet(first, second)
		if hour/24%2 == 1 {
			key, kid, keySet = otherKey(), "brand-2", encodeKeySet(second)
		}
		b.idp.setKeySet(keySet)
		now := b.clock().Unix()
		idToken := signWith(t, key, kid, b.idp.claims(map[string]any{"iat": now, "exp": now + 3600}))
		own := b.requestToken(authenticatePath(keySetID), map[string]any{"id_token": idToken})
		for range 1 + hour%2 {
			c = b.dialSocket(own)
			id := c.openConversation()
			if conversation == "" {
				conversation = id
			}
			require.Equal(t, conversation, id, "hour %d", hour)
			response := c.sendText(id, fmt.Sprintf("hour %d", hour))
			require.EqualValues(t, sent, response["body"].(map[string]any)["sequence"], "hour %d", hour)
			sent++
			if hour%2 == 1 {
				_ = c.conn.CloseNow() // the network failed
				c = nil
			}
		}
		b.advance(time.Hour)
	}
	require.Greater(t, sent, 500)
	require.LessOrEqual(t, b.idp.keySetRequests, 14*24+14, "the key set is cached, not fetched for every token")
	_, _, list := b.call("GET", "/agent", nil)
	require.Contains(t, list, conversation)
}
