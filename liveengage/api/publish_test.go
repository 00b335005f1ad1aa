package api_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/api"
)

// startSocket opens a socket of a talk and closes it when the test ends.
func startSocket(t *testing.T, s *fakeServices, cfg api.SocketConfig, change ...func(*api.Config)) *api.Socket {
	t.Helper()
	if cfg.GetToken == nil {
		cfg.GetToken = func(context.Context) (string, error) { return "lp", nil }
	}
	socket := s.client(change...).Socket(cfg)
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = socket.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	return socket
}

// TestPublishThroughALoss: a line whose answer was lost is written again if, and only
// if, the conversation does not have it. All lines have the same words, also one of
// long ago that this socket knows nothing of.
func TestPublishThroughALoss(t *testing.T) {
	t.Parallel()
	const publish, subscribe = "ms.PublishEvent", "ms.SubscribeMessagingEvents"
	for name, accidents := range map[string][2]failure{
		"not heard":                {{kind: publish, ignored: true}},
		"heard":                    {{kind: publish}},
		"heard and told":           {{kind: publish, notifies: true}},
		"not heard, token run out": {{kind: publish, ignored: true, code: 4407}},
		"heard, token run out":     {{kind: publish, code: 4407}},
		"heard, no answer":         {{kind: publish, silent: true}},
		"heard, going away":        {{kind: publish, code: websocket.StatusGoingAway}},
		"heard, and lost again":    {{kind: publish}, {kind: "GetClock", ignored: true}},
		"not heard, and then lost": {{kind: publish, ignored: true}, {kind: publish}},
		"lost while it is sought":  {{kind: publish}, {kind: subscribe, ignored: true}},
	} {
		for _, subscribed := range []bool{false, true} {
			for _, before := range []int{0, 2} {
				t.Run(fmt.Sprintf("%s, subscribed %v, line %d", name, subscribed, before+1), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						s, k := startServices(t), &fakeConversation{}
						first := accidents[0]
						first.after = before
						s.sockets = append(s.sockets, k.serveSocket(0, 0, first), k.serveSocket(0, 0, accidents[1]), k.serveSocket(0, 0))
						want := []string{"same words"}
						k.addLine(want[0], nil)
						time.Sleep(time.Hour)
						var mu sync.Mutex
						var heard []string
						socket := startSocket(t, s, api.SocketConfig{Received: func(e api.Event) { mu.Lock(); heard = append(heard, e.Text); mu.Unlock() }})
						if subscribed {
							require.NoError(t, socket.Subscribe(t.Context(), "conv-1"))
							synctest.Wait()
						}
						for range before + 2 {
							n, err := socket.Publish(t.Context(), "conv-1", "same words")
							require.NoError(t, err)
							require.Equal(t, len(want), n)
							want = append(want, "same words")
							require.Equal(t, want, k.allLines(), "each once")
						}
						require.Less(t, time.Since(s.start), time.Hour+25*time.Second)
						synctest.Wait()
						mu.Lock()
						defer mu.Unlock()
						if subscribed {
							require.Equal(t, want, heard, "each is told once")
						}
					})
				})
			}
		}
	}
}

// TestPublishThatCannotBeKnown is ErrUnsure; a refusal is not.
func TestPublishThatCannotBeKnown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // by the first fault
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent"}))
		_, err := startSocket(t, s, api.SocketConfig{}, func(cfg *api.Config) { cfg.Retry = api.NoRetry }).Publish(t.Context(), "conv-1", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
	})
	synctest.Test(t, func(t *testing.T) { // the service does not tell the lines
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent", ignored: true}), k.serveSocket(0, 0))
		_, err := startSocket(t, s, api.SocketConfig{}).Publish(t.Context(), "conv-2", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "404")
	})
	synctest.Test(t, func(t *testing.T) { // the caller has gone
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent", ignored: true}), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := startSocket(t, s, api.SocketConfig{}).Publish(ctx, "conv-1", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	synctest.Test(t, func(t *testing.T) { // a service that is always lost is not asked for ever
		s, k := startServices(t), &fakeConversation{}
		for range 9 {
			s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent", ignored: true}))
		}
		_, err := startSocket(t, s, api.SocketConfig{}, func(cfg *api.Config) { cfg.Retry = api.RetryThreeTimes }).Publish(t.Context(), "conv-1", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
		require.Len(t, s.sockets, 9-4)
	})
}

// TestRequestsThroughALoss: what may be asked twice is asked again.
func TestRequestsThroughALoss(t *testing.T) {
	t.Parallel()
	for _, unread := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, k := startServices(t), &fakeConversation{}
			for _, kind := range []string{"cm.ConsumerRequestConversation", "ms.SubscribeMessagingEvents", "GetClock"} {
				s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: kind, ignored: unread}))
			}
			s.sockets = append(s.sockets, k.serveSocket(0, 0))
			socket := startSocket(t, s, api.SocketConfig{})
			conversation, err := socket.StartConversation(t.Context())
			require.NoError(t, err)
			require.NoError(t, socket.Subscribe(t.Context(), conversation))
			at, err := socket.Clock(t.Context())
			require.NoError(t, err)
			require.Equal(t, time.Now().UnixMilli(), at.UnixMilli())
			require.Len(t, s.sockets, 1)
		})
	}
}

// tokenFor is a token that ends after a while.
func tokenFor(issued time.Time, life time.Duration) string {
	return "e30." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"iat":%d,"exp":%d}`, issued.Unix(), issued.Add(life).Unix())) + ".c2ln"
}

// TestRenewedBeforeTheEnd: a connection whose token tells its end is renewed shortly
// before; requests that are under way come to their end, and none is lost.
func TestRenewedBeforeTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life  time.Duration
		skew  time.Duration // of the client's clock
		every time.Duration
	}{
		"half an hour":         {30 * time.Minute, 0, 29 * time.Minute},
		"a minute":             {time.Minute, 0, 54 * time.Second},
		"a clock that is slow": {30 * time.Minute, -10 * time.Minute, 29 * time.Minute},
		"one that is fast":     {30 * time.Minute, 10 * time.Minute, 19 * time.Minute},
		"one that is wrong":    {30 * time.Minute, 1000 * time.Hour, 29 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, k := startServices(t), &fakeConversation{}
				s.sockets = append(s.sockets, k.serveSocket(0, 0))
				renewed := make(chan time.Duration, 100)
				socket := startSocket(t, s, api.SocketConfig{GetToken: func(context.Context) (string, error) {
					renewed <- time.Since(s.start)
					return tokenFor(time.Now(), c.life), nil
				}}, func(cfg *api.Config) { cfg.Now = func() time.Time { return time.Now().Add(c.skew) } })
				var want []string
				for i := range 20 {
					require.Equal(t, time.Duration(i)*c.every, <-renewed)
					want = append(want, fmt.Sprint("line ", i))
					_, err := socket.Publish(t.Context(), "conv-1", want[i]) // in the very moment
					require.NoError(t, err)
				}
				require.Equal(t, want, k.allLines())
				synctest.Wait()
				require.NotContains(t, s.log.String(), "liveengage_fault")
				require.Equal(t, 19, strings.Count(s.log.String(), "liveengage_socket_renewed"))
			})
		})
	}
}

// TestRenewalWaitsForAnswers: what is under way when the token is about to end is
// answered on the old connection, so nobody has to ask whether it was heard; what
// comes meanwhile goes over the next.
func TestRenewalWaitsForAnswers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent", delay: 8 * time.Second}), k.serveSocket(0, 0))
		socket := startSocket(t, s, api.SocketConfig{GetToken: func(context.Context) (string, error) { return tokenFor(time.Now(), 30*time.Minute), nil }})
		time.Sleep(29*time.Minute - time.Second)
		var group sync.WaitGroup
		group.Go(func() {
			_, err := socket.Publish(t.Context(), "conv-1", "a")
			require.NoError(t, err)
		})
		time.Sleep(2 * time.Second)
		_, err := socket.Clock(t.Context())
		require.NoError(t, err)
		require.Equal(t, 29*time.Minute+7*time.Second, time.Since(s.start))
		group.Wait()
		require.Equal(t, []string{"a"}, k.allLines())
		require.NotContains(t, strings.Join(s.timeline(), "\n"), "ms.SubscribeMessagingEvents")
	})
}

// TestNoLineIsLeftOut: lines that were answered and not told before the connection was
// lost are told on the next, although a later one is sought there.
func TestNoLineIsLeftOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const publish = "ms.PublishEvent"
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: publish, unnotified: true}, failure{kind: publish, unnotified: true}, failure{kind: publish}), k.serveSocket(0, 0))
		var mu sync.Mutex
		var heard []string
		socket := startSocket(t, s, api.SocketConfig{Received: func(e api.Event) { mu.Lock(); heard = append(heard, e.Text); mu.Unlock() }})
		require.NoError(t, socket.Subscribe(t.Context(), "conv-1"))
		want := []string{"a", "b", "c"}
		for _, text := range want {
			_, err := socket.Publish(t.Context(), "conv-1", text)
			require.NoError(t, err)
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		require.Equal(t, want, heard)
	})
}

// TestRenewalThatFails: the brand is away shortly before the end, and the connection
// goes on until the service closes it.
func TestRenewalThatFails(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(30*time.Minute, 4407), k.serveSocket(0, 0))
		asked := 0
		socket := startSocket(t, s, api.SocketConfig{GetToken: func(context.Context) (string, error) {
			if asked++; asked == 2 {
				return "", errors.New("away")
			}
			return tokenFor(time.Now(), 30*time.Minute), nil
		}})
		time.Sleep(29*time.Minute + 30*time.Second)
		_, err := socket.Publish(t.Context(), "conv-1", "a")
		require.NoError(t, err)
		require.Len(t, s.sockets, 1)
		require.Contains(t, s.log.String(), `service=token request="renew the consumer's token" attempt=1 error=away next_try_in=1m0s`)
		time.Sleep(time.Minute)
		_, err = socket.Publish(t.Context(), "conv-1", "b")
		require.NoError(t, err)
		require.Equal(t, 3, asked)
		require.Equal(t, []string{"a", "b"}, k.allLines())
	})
}
