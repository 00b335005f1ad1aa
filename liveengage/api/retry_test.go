package api_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/api"
)

// TestRetrySchedule checks when a request is retried, on a fake clock.
func TestRetrySchedule(t *testing.T) {
	t.Parallel()
	const login, users = "POST /login", "GET /configuration/le-users/users"
	send := map[string]func(context.Context, *api.Client) error{
		login: func(ctx context.Context, c *api.Client) error { _, err := c.Login(ctx, "ann", "secret"); return err },
		users: func(ctx context.Context, c *api.Client) error {
			_, err := c.Users(ctx, func(string, string) string { return "Bearer b" })
			return err
		},
	}
	wait := func(seconds string) reply {
		return reply{status: 429, header: http.Header{"Retry-After": {seconds}}}
	}
	down, loggedIn, listed := reply{status: 503}, okReply(loginBody), okReply(`[]`)
	for _, c := range []struct {
		name    string
		request string
		replies []reply
		policy  api.RetryPolicy
		limit   time.Duration
		want    string // when the request is sent
		fails   bool
	}{
		{name: "success", request: login, replies: []reply{loggedIn}, want: "0s"},
		{name: "401 is not retried", request: login, replies: []reply{{status: 401}}, want: "0s", fails: true},
		{name: "400 is not retried", request: login, replies: []reply{{status: 400}}, want: "0s", fails: true},
		{name: "408 is not retried", request: users, replies: []reply{{status: 408}}, want: "0s", fails: true},
		{name: "5xx after 5, 10 and 15 seconds", request: users, replies: []reply{down}, want: "0s 5s 15s 30s", fails: true},
		{
			name: "a retry that succeeds", request: users,
			replies: []reply{{status: 500}, {status: 502}, listed}, want: "0s 5s 15s",
		},
		{name: "4xx after 5xx", request: users, replies: []reply{down, {status: 404}}, want: "0s 5s", fails: true},
		{
			name: "no response", request: login, policy: api.RetryThreeTimes,
			replies: []reply{{drop: true}}, want: "0s 5s 15s 30s", fails: true,
		},
		{name: "no response within 10 seconds", request: users, replies: []reply{{hang: true}, listed}, want: "0s 15s"},
		{
			name: "login backs off up to an hour", request: login, replies: []reply{down}, limit: 4 * time.Hour,
			want: "0s 5s 15s 30s 2m30s 6m30s 14m30s 30m30s 1h2m30s 2h2m30s 3h2m30s", fails: true,
		},
		{
			name: "login with three retries", request: login, policy: api.RetryThreeTimes,
			replies: []reply{down}, want: "0s 5s 15s 30s", fails: true,
		},
		{
			name: "login without retries", request: login, policy: api.NoRetry,
			replies: []reply{down}, want: "0s", fails: true,
		},
		{
			name: "429 waits at least a second, then longer", request: users,
			replies: []reply{{status: 429}}, want: "0s 1s 3s 7s 15s 31s", fails: true,
		},
		{
			name: "429 with Retry-After", request: users,
			replies: []reply{wait("90"), wait("0"), listed}, want: "0s 1m30s 1m32s",
		},
		{
			name: "429 until a date", request: users,
			replies: []reply{wait("Sat, 01 Jan 2000 00:00:40 GMT"), listed}, want: "0s 40s",
		},
		{
			name: "429 for more than an hour fails", request: users,
			replies: []reply{wait("7200")}, want: "0s", fails: true,
		},
		{
			name: "429 for more than an hour, login", request: login,
			replies: []reply{wait("7200"), loggedIn}, want: "0s 2h0m0s",
		},
		{
			name: "Retry-After out of range fails", request: users,
			replies: []reply{wait("99999999999")}, want: "0s", fails: true,
		},
		{
			name: "Retry-After out of range is an hour, login", request: login,
			replies: []reply{wait("99999999999"), wait("999999"), wait("Fri, 31 Dec 9999 23:59:59 GMT"), loggedIn},
			want:    "0s 1h0m0s 2h0m0s 3h0m0s",
		},
		{
			name: "Retry-After in the past or invalid", request: users,
			replies: []reply{wait("Fri, 31 Dec 1999 00:00:00 GMT"), wait("Infinity"), wait("-99999999999"), listed},
			want:    "0s 1s 3s 7s",
		},
		{
			name: "429 does not use up retries", request: users,
			replies: []reply{down, {status: 429}, down, down, down}, want: "0s 5s 6s 16s 31s", fails: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := startServices(t)
				s.replies[c.request] = c.replies
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				err := send[c.request](ctx, s.client(func(cfg *api.Config) { cfg.Retry = c.policy }))
				require.Equal(t, c.fails, err != nil, err)
				var want []string
				for when := range strings.FieldsSeq(c.want) {
					want = append(want, when+" "+c.request)
				}
				require.Equal(t, want, s.timeline())
				require.NotContains(t, s.log.String(), "secret")
				if c.fails {
					require.Contains(t, s.log.String(), "msg=liveengage_request_failed")
				}
			})
		})
	}
}

// TestFailuresAreLogged in detail and without secrets.
func TestFailuresAreLogged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		token := "eyJhbGciOiJSUzI1NiIsImtpZCI6IjAwMDAxIn0"
		s.replies["POST /login"] = []reply{
			{status: 500, body: `{"error":{"message":"bad ` + token + `","internalCode":10}}`},
			okReply(loginBody),
		}
		_, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		for _, part := range []string{
			"level=WARN", "account=12345678", "service=agentVep", `request="POST /api/account/12345678/login"`,
			"attempt=1", "status=500", "code=10",
			"next_try_in=5s", "next_try=2000-01-01T00:00:05Z", "bad redacted",
		} {
			require.Contains(t, s.log.String(), part)
		}
		require.NotContains(t, s.log.String(), token)
	})
}

// TestKeepAliveSchedule: a session is refreshed every five minutes, also through an
// outage. When it has expired, the client logs in again.
func TestKeepAliveSchedule(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		cookie := http.Header{"Set-Cookie": {"Session_id=s-1; Secure; HttpOnly"}}
		s.replies["POST /login"] = []reply{
			{status: 200, body: loginBody, header: cookie},
			okReply(`{"csrf":"c-2","bearer":"b-2","sessionTTl":28800000}`),
			{status: 401},
		}
		down := reply{status: 500}
		const badCSRF = `{"error":{"message":"CSRF token invalid! x","internalCode":10,"responseStatus":"UNAUTHORIZED"}}`
		refreshed, expired := okReply(""), reply{status: 401}
		s.replies["POST /refresh"] = []reply{
			refreshed, refreshed, down, down, down, down, down, refreshed, expired, refreshed,
			{status: 401, body: badCSRF},
		}
		session, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		require.Equal(t, "b-1", session.Bearer())
		require.Equal(t, 8*time.Hour, session.TTL())
		err = session.KeepAlive(t.Context())
		require.ErrorIs(t, err, api.ErrBadCredentials, "the last login is rejected, which is not retried")
		require.Equal(t, []string{
			"0s POST /login", "5m0s POST /refresh", "10m0s POST /refresh",
			"15m0s POST /refresh", "15m5s POST /refresh", "15m15s POST /refresh", "15m30s POST /refresh",
			"17m30s POST /refresh", "21m30s POST /refresh",
			"26m30s POST /refresh", "26m30s POST /login", "31m30s POST /refresh",
			"36m30s POST /refresh", "36m30s POST /login",
		}, s.timeline())
		require.Equal(t, "b-2", session.Bearer())
		require.JSONEq(t, `{"csrf":"c-1"}`, s.bodies[2])
		require.Equal(t, "Session_id=s-1", s.headers[2].Get("Cookie"))
		require.JSONEq(t, `{"csrf":"c-2"}`, s.bodies[len(s.bodies)-2])
	})
}

// TestKeepAliveEndsWithContext: the end of the context is not an error.
func TestKeepAliveEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"] = []reply{okReply(loginBody)}
		s.replies["POST /refresh"] = []reply{okReply("")}
		s.replies["POST /logout"] = []reply{okReply("")}
		session, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
		defer cancel()
		require.NoError(t, session.KeepAlive(ctx))
		require.NoError(t, session.Logout(t.Context()))
		want := []string{"0s POST /login", "5m0s POST /refresh", "10m0s POST /refresh", "11m0s POST /logout"}
		require.Equal(t, want, s.timeline())
	})
}

// TestSocketSchedule: GetClock is sent every 30 seconds, and a lost socket is reopened.
func TestSocketSchedule(t *testing.T) {
	t.Parallel()
	const key = "GET /ws_api/account/" + account + "/messaging/consumer"
	type script = func(*fakeServices, *websocket.Conn)
	tokens := func(s *fakeServices) func(context.Context) (string, error) {
		n := 0
		return func(context.Context) (string, error) {
			n++
			s.record("token %d", n)
			return string(rune('A' + n - 1)), nil
		}
	}
	down := reply{status: 503}
	for _, c := range []struct {
		name    string
		replies []reply // to handshakes, before any socket is opened
		sockets []script
		limit   time.Duration
		policy  api.RetryPolicy
		want    []string
		fails   error
	}{
		{
			name: "alive", sockets: []script{serveSocket(0, 0)}, limit: 100 * time.Second,
			want: []string{"0s token 1", "0s socket A", "30s GetClock", "1m0s GetClock", "1m30s GetClock"},
		},
		{
			name:    "lost, and reopened with the same token after growing pauses",
			sockets: []script{serveSocket(40*time.Second, 0), nil, nil, nil, nil, nil, nil, nil, serveSocket(0, 0)},
			limit:   9 * time.Minute,
			want: []string{
				"0s token 1", "0s socket A", "30s GetClock", "41s socket A", "43s socket A", "47s socket A",
				"55s socket A", "1m11s socket A", "3m11s socket A", "7m11s socket A",
			},
		},
		{
			name:    "pauses start over after a connection that lived",
			sockets: []script{serveSocket(40*time.Second, 0), serveSocket(40*time.Second, 0), serveSocket(0, 0)},
			limit:   100 * time.Second,
			want: []string{
				"0s token 1", "0s socket A", "30s GetClock", "41s socket A", "1m11s GetClock", "1m22s socket A",
			},
		},
		{
			name:    "pauses grow after a connection that did not live",
			sockets: []script{serveSocket(time.Second, 0)}, limit: 30 * time.Second,
			want: []string{"0s token 1", "0s socket A", "2s socket A", "5s socket A", "10s socket A", "19s socket A"},
		},
		{
			name: "a bad token is replaced at once, but only once",
			sockets: []script{
				serveSocket(70*time.Second, 4407), serveSocket(time.Second, 4407), serveSocket(0, 0),
			},
			limit: 80 * time.Second,
			want: []string{
				"0s token 1", "0s socket A", "30s GetClock", "1m0s GetClock", "1m10s token 2", "1m10s socket B",
				"1m13s token 3", "1m13s socket C",
			},
		},
		{
			name: "a revoked token is replaced like a bad one",
			sockets: []script{
				serveSocket(70*time.Second, 4401), serveSocket(0, 0),
			},
			limit: 80 * time.Second,
			want: []string{
				"0s token 1", "0s socket A", "30s GetClock", "1m0s GetClock", "1m10s token 2", "1m10s socket B",
			},
		},
		{
			name:    "no response to GetClock means a lost socket",
			sockets: []script{ignoreRequests, serveSocket(0, 0)}, limit: 45 * time.Second,
			want: []string{"0s token 1", "0s socket A", "41s socket A"},
		},
		{
			name:    "a handshake with 5xx is retried after 5, 10 and 15 seconds",
			replies: []reply{down, down, down}, sockets: []script{serveSocket(0, 0)}, limit: 40 * time.Second,
			want: []string{"0s token 1", "0s " + key, "5s " + key, "15s " + key, "30s socket A"},
		},
		{
			name:    "a handshake with 403 is not retried",
			replies: []reply{{status: 403}}, sockets: []script{serveSocket(0, 0)}, limit: time.Hour,
			want: []string{"0s token 1", "0s " + key}, fails: api.ErrBadCredentials,
		},
		{
			name:    "a new token that is rejected is not replaced",
			replies: []reply{{status: 401}}, sockets: []script{serveSocket(0, 0)}, limit: time.Hour,
			want: []string{"0s token 1", "0s " + key}, fails: api.ErrBadCredentials,
		},
		{
			name:    "three retries and no more",
			replies: slices.Repeat([]reply{down}, 9), sockets: []script{nil}, limit: time.Hour,
			policy: api.RetryThreeTimes,
			want:   []string{"0s token 1", "0s " + key, "5s " + key, "15s " + key, "30s " + key}, fails: errAny,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := startServices(t)
				s.sockets = c.sockets
				if c.replies != nil {
					s.replies[key] = c.replies
				}
				ctx, cancel := context.WithTimeout(t.Context(), c.limit)
				defer cancel()
				socket := s.client(func(cfg *api.Config) { cfg.Retry = c.policy }).Socket(api.SocketConfig{GetToken: tokens(s)})
				err := socket.Run(ctx)
				seen := s.timeline()
				require.Equal(t, c.fails != nil, err != nil, err)
				if c.fails != nil && !errors.Is(c.fails, errAny) {
					require.ErrorIs(t, err, c.fails)
				}
				require.Equal(t, c.want, seen)
			})
		})
	}
}

var errAny = errors.New("any")

// TestMovedServiceIsFound: when a host stops responding, the next attempt looks the
// service up again.
func TestMovedServiceIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /authenticate"] = []reply{okReply(`{"jwt":"j"}`)}
		c := s.client()
		s.domains["idp"] = "127.0.0.1:9" // refuses connections
		_, err := c.Domains(t.Context())
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() {
			s.mu.Lock()
			s.domains["idp"] = "127.0.0.1:1"
			s.mu.Unlock()
		})
		token, err := authenticate(t, c)
		require.NoError(t, err)
		require.Equal(t, "j", token)
		require.Equal(t, []string{"5s POST /authenticate"}, s.timeline())
	})
}

// TestDomainsAreFetchedOnce. If the Domain API fails, the call is retried.
func TestDomainsAreFetchedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /authenticate"] = []reply{okReply(`{"jwt":"j"}`)}
		s.mu.Lock()
		good := s.domainReply()
		s.mu.Unlock()
		s.replies["GET /service/baseURI.json"] = []reply{{status: 500}, good}
		c := s.client()
		for range 3 {
			_, err := authenticate(t, c)
			require.NoError(t, err)
		}
		require.Equal(t, []string{
			"0s GET /service/baseURI.json", "5s GET /service/baseURI.json",
			"5s POST /authenticate", "5s POST /authenticate", "5s POST /authenticate",
		}, s.timeline())
	})
}
