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

// startSocket runs a socket until the test ends.
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

// TestPublishAfterLostConnection: a message whose response was lost is sent again only
// if the conversation does not have it. All messages have the same text, including an
// old one from before this socket.
func TestPublishAfterLostConnection(t *testing.T) {
	t.Parallel()
	const publish, subscribe = "ms.PublishEvent", "ms.SubscribeMessagingEvents"
	for name, failures := range map[string][2]failure{
		"lost":                    {{kind: publish, ignored: true}},
		"received":                {{kind: publish}},
		"received and notified":   {{kind: publish, notifies: true}},
		"lost, token expired":     {{kind: publish, ignored: true, code: 4407}},
		"received, token expired": {{kind: publish, code: 4407}},
		"received, no response":   {{kind: publish, silent: true}},
		"received, going away":    {{kind: publish, code: websocket.StatusGoingAway}},
		"received, lost again":    {{kind: publish}, {kind: "GetClock", ignored: true}},
		"lost twice":              {{kind: publish, ignored: true}, {kind: publish}},
		"lost during the search":  {{kind: publish}, {kind: subscribe, ignored: true}},
	} {
		for _, before := range []int{0, 2} {
			t.Run(fmt.Sprintf("%s, message %d", name, before+1), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s, k := startServices(t), &fakeConversation{}
					first := failures[0]
					first.after = before
					s.sockets = append(s.sockets, k.serveSocket(0, 0, first), k.serveSocket(0, 0, failures[1]), k.serveSocket(0, 0))
					want := []string{"same words"}
					k.addLine(want[0], nil)
					time.Sleep(time.Hour)
					socket := startSocket(t, s, api.SocketConfig{})
					for range before + 2 {
						n, err := socket.Publish(t.Context(), "conv-1", "same words")
						require.NoError(t, err)
						require.Equal(t, len(want), n)
						want = append(want, "same words")
						require.Equal(t, want, k.allLines(), "each message arrives once")
					}
					require.Less(t, time.Since(s.start), time.Hour+25*time.Second)
				})
			})
		}
	}
}

// TestPublishOutcomeUnknown checks when the error is ErrOutcomeUnknown.
func TestPublishOutcomeUnknown(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // no retries
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent"}))
		socket := startSocket(t, s, api.SocketConfig{}, func(cfg *api.Config) { cfg.Retry = api.NoRetry })
		_, err := socket.Publish(t.Context(), "conv-1", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
	})
	synctest.Test(t, func(t *testing.T) { // the search is rejected
		s, k := startServices(t), &fakeConversation{}
		lost := failure{kind: "ms.PublishEvent", ignored: true}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, lost), k.serveSocket(0, 0))
		_, err := startSocket(t, s, api.SocketConfig{}).Publish(t.Context(), "conv-2", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
		require.ErrorContains(t, err, "404")
	})
	synctest.Test(t, func(t *testing.T) { // the context ends
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent", ignored: true}), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := startSocket(t, s, api.SocketConfig{}).Publish(ctx, "conv-1", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	synctest.Test(t, func(t *testing.T) { // every connection is lost
		s, k := startServices(t), &fakeConversation{}
		for range 9 {
			s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: "ms.PublishEvent", ignored: true}))
		}
		socket := startSocket(t, s, api.SocketConfig{}, func(cfg *api.Config) { cfg.Retry = api.RetryThreeTimes })
		_, err := socket.Publish(t.Context(), "conv-1", "a")
		require.ErrorIs(t, err, api.ErrOutcomeUnknown)
		require.Len(t, s.sockets, 9-4)
	})
}

// TestRequestsAfterLostConnection: requests are sent again on the next connection.
func TestRequestsAfterLostConnection(t *testing.T) {
	t.Parallel()
	for _, ignored := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s, k := startServices(t), &fakeConversation{}
			for _, kind := range []string{
				"cm.ConsumerRequestConversation", "ms.PublishEvent", "GetClock", "ms.SubscribeMessagingEvents",
			} {
				s.sockets = append(s.sockets, k.serveSocket(0, 0, failure{kind: kind, ignored: ignored}))
			}
			s.sockets = append(s.sockets, k.serveSocket(0, 0))
			socket := startSocket(t, s, api.SocketConfig{})
			conversation, err := socket.StartConversation(t.Context())
			require.NoError(t, err)
			_, err = socket.Publish(t.Context(), conversation, "a")
			require.NoError(t, err)
			require.Equal(t, []string{"a"}, k.allLines())
			require.Len(t, s.sockets, 1)
		})
	}
}

// tokenFor returns a token with a lifetime.
func tokenFor(issued time.Time, life time.Duration) string {
	payload := fmt.Appendf(nil, `{"iat":%d,"exp":%d}`, issued.Unix(), issued.Add(life).Unix())
	return "e30." + base64.RawURLEncoding.EncodeToString(payload) + ".c2ln"
}

// TestTokenRenewal: a connection is replaced shortly before its token expires. No
// request is lost.
func TestTokenRenewal(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		life  time.Duration
		skew  time.Duration // of the client's clock
		every time.Duration
	}{
		"half an hour": {30 * time.Minute, 0, 29 * time.Minute},
		"a minute":     {time.Minute, 0, 54 * time.Second},
		"slow clock":   {30 * time.Minute, -10 * time.Minute, 29 * time.Minute},
		"fast clock":   {30 * time.Minute, 10 * time.Minute, 19 * time.Minute},
		"wrong clock":  {30 * time.Minute, 1000 * time.Hour, 29 * time.Minute},
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
					_, err := socket.Publish(t.Context(), "conv-1", want[i]) // at that very moment
					require.NoError(t, err)
				}
				require.Equal(t, want, k.allLines())
				synctest.Wait()
				require.NotContains(t, s.log.String(), "liveengage_request_failed")
				require.Equal(t, 19, strings.Count(s.log.String(), "liveengage_socket_renewed"))
			})
		})
	}
}

// TestRenewalWaitsForResponses: requests that are running when the token is renewed get
// their response on the old connection. New requests wait for the next one.
func TestRenewalWaitsForResponses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, k := startServices(t), &fakeConversation{}
		slow := failure{kind: "ms.PublishEvent", delay: 8 * time.Second}
		s.sockets = append(s.sockets, k.serveSocket(0, 0, slow), k.serveSocket(0, 0))
		getToken := func(context.Context) (string, error) { return tokenFor(time.Now(), 30*time.Minute), nil }
		socket := startSocket(t, s, api.SocketConfig{GetToken: getToken})
		time.Sleep(29*time.Minute - time.Second)
		var group sync.WaitGroup
		group.Go(func() {
			_, err := socket.Publish(t.Context(), "conv-1", "a")
			require.NoError(t, err)
		})
		time.Sleep(2 * time.Second)
		_, err := socket.StartConversation(t.Context())
		require.NoError(t, err)
		require.Equal(t, 29*time.Minute+7*time.Second, time.Since(s.start))
		group.Wait()
		require.Equal(t, []string{"a"}, k.allLines())
		require.NotContains(t, strings.Join(s.timeline(), "\n"), "ms.SubscribeMessagingEvents")
	})
}

// TestRenewalFailure: if the renewal fails, the connection stays open until the service
// closes it.
func TestRenewalFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, k := startServices(t), &fakeConversation{}
		s.sockets = append(s.sockets, k.serveSocket(30*time.Minute, 4407), k.serveSocket(0, 0))
		calls := 0
		socket := startSocket(t, s, api.SocketConfig{GetToken: func(context.Context) (string, error) {
			if calls++; calls == 2 {
				return "", errors.New("away")
			}
			return tokenFor(time.Now(), 30*time.Minute), nil
		}})
		time.Sleep(29*time.Minute + 30*time.Second)
		_, err := socket.Publish(t.Context(), "conv-1", "a")
		require.NoError(t, err)
		require.Len(t, s.sockets, 1)
		require.Contains(t, s.log.String(),
			`service=token request="renew the consumer's token" attempt=1 error=away next_try_in=1m0s`)
		time.Sleep(time.Minute)
		_, err = socket.Publish(t.Context(), "conv-1", "b")
		require.NoError(t, err)
		require.Equal(t, 3, calls)
		require.Equal(t, []string{"a", "b"}, k.allLines())
	})
}
