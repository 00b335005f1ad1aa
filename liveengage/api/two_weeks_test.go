package api_test

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/api"
)

// TestTwoWeeks keeps a session and a socket alive for two weeks, through tokens that
// expire every hour, lost connections and a long outage. A message is sent every six
// hours and whenever a token expires or a connection is lost. Each arrives once, in
// order.
func TestTwoWeeks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const fortnight = 14 * 24 * time.Hour
		s, k := startServices(t), &fakeConversation{ending: make(chan struct{}, 1)}
		s.replies["POST /login"], s.replies["POST /refresh"] = []reply{okReply(loginBody)}, []reply{okReply("")}
		expired, lost := k.serveSocket(time.Hour, 4407), k.serveSocket(25*time.Minute, 0)
		for range 100 {
			s.sockets = append(s.sockets, expired, expired, lost, nil, nil)
		}
		s.sockets = append(s.sockets, []func(*fakeServices, *websocket.Conn){nil, nil, nil, nil, nil, nil, nil, nil, nil}...)
		for range 200 {
			s.sockets = append(s.sockets, expired, lost)
		}
		c := s.client()
		session, err := c.Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		tokens := 0
		socket := c.Socket(api.SocketConfig{GetToken: func(context.Context) (string, error) {
			tokens++
			return "token-" + strconv.Itoa(tokens), nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), fortnight)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() { require.NoError(t, socket.Run(ctx)) })
		group.Go(func() { require.NoError(t, session.KeepAlive(ctx)) })
		var want []string
		atLoss, ticker := 0, time.NewTicker(6*time.Hour)
		defer ticker.Stop()
		for time.Since(s.start) < fortnight-3*time.Hour {
			want = append(want, "line "+strconv.Itoa(len(want)))
			n, err := socket.Publish(ctx, "conv-1", want[len(want)-1])
			require.NoError(t, err)
			require.Equal(t, len(want)-1, n)
			select {
			case <-k.ending:
				atLoss++
			case <-ticker.C:
			}
		}
		group.Wait()
		require.Equal(t, want, k.allLines())
		require.Greater(t, atLoss, 300)
		count := map[string]int{}
		for _, line := range s.timeline() {
			_, call, _ := strings.Cut(line, " ")
			if strings.HasPrefix(call, "socket") {
				call = "socket"
			}
			count[call]++
		}
		require.Equal(t, 1, count["POST /login"])
		require.InDelta(t, int(fortnight/(5*time.Minute)), count["POST /refresh"], 1)
		require.Greater(t, count["GetClock"], 36_000, "every 30 seconds while connected")
		require.Greater(t, tokens, 200)
		require.Less(t, count["socket"], 1000, "not too many connections")
		failures := strings.Count(s.log.String(), "msg=liveengage_request_failed")
		require.Equal(t, count["socket"]-1, failures, "one for each connection except the last")
		lostSockets := strings.Count(s.log.String(), `service=asyncMessagingEnt request="socket `)
		require.Equal(t, failures, lostSockets, "and no others")
	})
}
