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

// TestTwoWeeks: a session and a socket live for a fortnight, through tokens that run
// out every hour, connections that are lost and a night in which nobody answers; a
// line that is written every six hours always arrives.
func TestTwoWeeks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const fortnight = 14 * 24 * time.Hour
		s := play(t)
		s.replies["POST /login"], s.replies["POST /refresh"] = []reply{ok(loginAnswer)}, []reply{ok("")}
		expired, lost := serve(time.Hour, 4407), serve(25*time.Minute, 0)
		for range 100 {
			s.sockets = append(s.sockets, expired, expired, lost, nil, nil)
		}
		s.sockets = append(s.sockets, []func(*services, *websocket.Conn){nil, nil, nil, nil, nil, nil, nil, nil, nil}...)
		for range 200 {
			s.sockets = append(s.sockets, expired, lost)
		}
		c := s.client()
		session, err := c.Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		tokens := 0
		socket := c.Socket(api.SocketConfig{Token: func(context.Context) (string, error) { tokens++; return "token-" + strconv.Itoa(tokens), nil }})
		ctx, cancel := context.WithTimeout(t.Context(), fortnight)
		defer cancel()
		var group sync.WaitGroup
		group.Go(func() { require.NoError(t, socket.Run(ctx)) })
		group.Go(func() { require.NoError(t, session.KeepAlive(ctx)) })
		time.Sleep(7 * time.Second) // so that no line is written at the moment of a loss
		for range 56 {
			_, err := socket.Publish(ctx, "conv-1", "line")
			require.NoError(t, err)
			time.Sleep(6 * time.Hour)
		}
		group.Wait()
		count := map[string]int{}
		for _, line := range s.timeline() {
			_, what, _ := strings.Cut(line, " ")
			if strings.HasPrefix(what, "socket") {
				what = "socket"
			}
			count[what]++
		}
		require.Equal(t, 56, count["ms.PublishEvent"])
		require.Equal(t, 1, count["POST /login"])
		require.InDelta(t, int(fortnight/(5*time.Minute)), count["POST /refresh"], 1)
		require.Greater(t, count["GetClock"], 36_000, "every 30 seconds but for the time that it was lost")
		require.Greater(t, tokens, 200)
		require.Less(t, count["socket"], 1000, "no storm of connections")
	})
}
