package api_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/liveengage/api"
)

// TestRetriesByTheClock: at which moments a request is made, on a clock that is not
// waited for.
func TestRetriesByTheClock(t *testing.T) {
	t.Parallel()
	const login, users = "POST /login", "GET /configuration/le-users/users"
	wait := func(seconds string) reply {
		return reply{status: 429, header: http.Header{"Retry-After": {seconds}}}
	}
	logIn := func(ctx context.Context, c *api.Client) error { _, err := c.Login(ctx, "ann", "secret"); return err }
	list := func(ctx context.Context, c *api.Client) error {
		_, err := c.Users(ctx, func(string, string) string { return "Bearer b" })
		return err
	}
	down := reply{status: 503}
	for _, c := range []struct {
		name    string
		key     string
		replies []reply
		persist api.RetryPolicy
		limit   time.Duration
		do      func(context.Context, *api.Client) error
		want    []string // moments
		fails   bool
	}{
		{name: "a success", key: login, replies: []reply{okReply(loginBody)}, do: logIn, want: []string{"0s"}},
		{name: "4xx is never tried again", key: login, replies: []reply{{status: 401}}, do: logIn, want: []string{"0s"}, fails: true},
		{name: "400 neither", key: login, replies: []reply{{status: 400}}, do: logIn, want: []string{"0s"}, fails: true},
		{name: "408 neither", key: users, replies: []reply{{status: 408}}, do: list, want: []string{"0s"}, fails: true},
		{name: "5xx after 5, 10 and 15 seconds", key: users, replies: []reply{down}, do: list, want: []string{"0s", "5s", "15s", "30s"}, fails: true},
		{name: "a retry that helps", key: users, replies: []reply{{status: 500}, {status: 502}, okReply(`[]`)}, do: list, want: []string{"0s", "5s", "15s"}},
		{name: "a 4xx after a 5xx ends it", key: users, replies: []reply{down, {status: 404}}, do: list, want: []string{"0s", "5s"}, fails: true},
		{name: "no answer is like 5xx", key: login, replies: []reply{{drop: true}}, do: logIn, persist: api.RetryThreeTimes, want: []string{"0s", "5s", "15s", "30s"}, fails: true},
		{name: "silence is no answer after 10 seconds", key: users, replies: []reply{{hang: true}, okReply(`[]`)}, do: list, want: []string{"0s", "15s"}},
		{
			name: "login goes on after growing intervals, to an hour", key: login, replies: []reply{down}, do: logIn, limit: 4 * time.Hour,
			want: []string{"0s", "5s", "15s", "30s", "2m30s", "6m30s", "14m30s", "30m30s", "1h2m30s", "2h2m30s", "3h2m30s"}, fails: true,
		},
		{name: "login with three retries", key: login, replies: []reply{down}, do: logIn, persist: api.RetryThreeTimes, want: []string{"0s", "5s", "15s", "30s"}, fails: true},
		{name: "login once", key: login, replies: []reply{down}, do: logIn, persist: api.NoRetry, want: []string{"0s"}, fails: true},
		{name: "429 waits at least a second, and longer each time", key: users, replies: []reply{{status: 429}}, do: list, want: []string{"0s", "1s", "3s", "7s", "15s", "31s"}, fails: true},
		{name: "429 waits as long as it is told", key: users, replies: []reply{wait("90"), wait("0"), okReply(`[]`)}, do: list, want: []string{"0s", "1m30s", "1m32s"}},
		{name: "429 until a date", key: users, replies: []reply{wait("Sat, 01 Jan 2000 00:00:40 GMT"), okReply(`[]`)}, do: list, want: []string{"0s", "40s"}},
		{name: "429 for longer than an hour is not waited for", key: users, replies: []reply{wait("7200")}, do: list, want: []string{"0s"}, fails: true},
		{name: "but by a login it is", key: login, replies: []reply{wait("7200"), okReply(loginBody)}, do: logIn, want: []string{"0s", "2h0m0s"}},
		{name: "nor is a number that is too long to be read", key: users, replies: []reply{wait("99999999999")}, do: list, want: []string{"0s"}, fails: true},
		{name: "by a login it is an hour", key: login, replies: []reply{wait("99999999999"), wait("999999"), wait("Fri, 31 Dec 9999 23:59:59 GMT"), okReply(loginBody)}, do: logIn, want: []string{"0s", "1h0m0s", "2h0m0s", "3h0m0s"}},
		{name: "a date that is past, and what is no time, are a second and more", key: users, replies: []reply{wait("Fri, 31 Dec 1999 00:00:00 GMT"), wait("Infinity"), wait("-99999999999"), okReply(`[]`)}, do: list, want: []string{"0s", "1s", "3s", "7s"}},
		{name: "429 does not use up retries", key: users, replies: []reply{down, {status: 429}, down, down, down}, do: list, want: []string{"0s", "5s", "6s", "16s", "31s"}, fails: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := startServices(t)
				s.replies[c.key] = c.replies
				ctx := t.Context()
				if c.limit > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, c.limit)
					defer cancel()
				}
				err := c.do(ctx, s.client(func(cfg *api.Config) { cfg.Retry = c.persist }))
				require.Equal(t, c.fails, err != nil, err)
				for i := range c.want {
					c.want[i] += " " + c.key
				}
				require.Equal(t, c.want, s.timeline())
				require.NotContains(t, s.log.String(), "secret")
				if c.fails {
					require.Contains(t, s.log.String(), "msg=liveengage_fault")
				}
			})
		})
	}
}

// TestFaultsAreLoggedInDetail and without secrets.
func TestFaultsAreLoggedInDetail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		token := "eyJhbGciOiJSUzI1NiIsImtpZCI6IjAwMDAxIn0"
		s.replies["POST /login"] = []reply{{status: 500, body: `{"error":{"message":"bad ` + token + `","internalCode":10}}`}, okReply(loginBody)}
		_, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		for _, part := range []string{
			"level=WARN", "account=12345678", "service=agentVep", `request="POST /api/account/12345678/login"`, "attempt=1", "status=500", "code=10",
			"next_try_in=5s", "next_try=2000-01-01T00:00:05Z", "bad redacted",
		} {
			require.Contains(t, s.log.String(), part)
		}
		require.NotContains(t, s.log.String(), token)
	})
}

// TestKeepAliveByTheClock: refreshed every five minutes; through an outage; logged in
// again when the session is gone.
func TestKeepAliveByTheClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		cookie := http.Header{"Set-Cookie": {"Session_id=s-1; Secure; HttpOnly"}}
		s.replies["POST /login"] = []reply{{status: 200, body: loginBody, header: cookie}, okReply(`{"csrf":"c-2","bearer":"b-2","sessionTTl":28800000}`), {status: 401}}
		down := reply{status: 500}
		s.replies["POST /refresh"] = []reply{okReply(""), okReply(""), down, down, down, down, down, okReply(""), {status: 401}, okReply(""), {
			status: 401, body: `{"error":{"message":"CSRF token invalid! Try again","internalCode":10,"responseStatus":"UNAUTHORIZED"}}`,
		}}
		session, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		require.Equal(t, "b-1", session.Bearer())
		require.Equal(t, 8*time.Hour, session.TTL())
		err = session.KeepAlive(t.Context())
		require.ErrorIs(t, err, api.ErrBadCredentials, "the last login is refused, and that is final")
		require.Equal(t, []string{
			"0s POST /login", "5m0s POST /refresh", "10m0s POST /refresh",
			"15m0s POST /refresh", "15m5s POST /refresh", "15m15s POST /refresh", "15m30s POST /refresh", "17m30s POST /refresh", "21m30s POST /refresh",
			"26m30s POST /refresh", "26m30s POST /login", "31m30s POST /refresh", "36m30s POST /refresh", "36m30s POST /login",
		}, s.timeline())
		require.Equal(t, "b-2", session.Bearer())
		require.JSONEq(t, `{"csrf":"c-1"}`, s.bodies[2])
		require.Equal(t, "Session_id=s-1", s.headers[2].Get("Cookie"))
		require.JSONEq(t, `{"csrf":"c-2"}`, s.bodies[len(s.bodies)-2])
	})
}

// TestKeepAliveEndsWithItsContext without an error.
func TestKeepAliveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /login"], s.replies["POST /refresh"], s.replies["POST /logout"] = []reply{okReply(loginBody)}, []reply{okReply("")}, []reply{okReply("")}
		session, err := s.client().Login(t.Context(), "ann", "secret")
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), 11*time.Minute)
		defer cancel()
		require.NoError(t, session.KeepAlive(ctx))
		require.NoError(t, session.Logout(t.Context()))
		require.Equal(t, []string{"0s POST /login", "5m0s POST /refresh", "10m0s POST /refresh", "11m0s POST /logout"}, s.timeline())
	})
}

// TestSocketByTheClock: GetClock every 30 seconds; a lost socket is opened again.
func TestSocketByTheClock(t *testing.T) {
	t.Parallel()
	const key = "GET /ws_api/account/" + account + "/messaging/consumer"
	tokens := func(s *fakeServices) func(context.Context) (string, error) {
		n := 0
		return func(context.Context) (string, error) {
			n++
			s.record("token %d", n)
			return string(rune('A' + n - 1)), nil
		}
	}
	for _, c := range []struct {
		name    string
		replies []reply // to the handshake, before any socket is opened
		sockets []func(*fakeServices, *websocket.Conn)
		limit   time.Duration
		persist api.RetryPolicy
		want    []string
		fails   error
	}{
		{
			name: "alive", sockets: []func(*fakeServices, *websocket.Conn){serveSocket(0, 0)}, limit: 100 * time.Second,
			want: []string{"0s token 1", "0s socket A", "30s GetClock", "1m0s GetClock", "1m30s GetClock"},
		},
		{
			name: "lost, and found with the same token after growing pauses", sockets: []func(*fakeServices, *websocket.Conn){serveSocket(40*time.Second, 0), nil, nil, nil, nil, nil, nil, nil, serveSocket(0, 0)}, limit: 9 * time.Minute,
			want: []string{
				"0s token 1", "0s socket A", "30s GetClock",
				"41s socket A", "43s socket A", "47s socket A", "55s socket A", "1m11s socket A", "3m11s socket A", "7m11s socket A",
			},
		},
		{
			name: "pauses begin anew after a connection that lived", sockets: []func(*fakeServices, *websocket.Conn){serveSocket(40*time.Second, 0), serveSocket(40*time.Second, 0), serveSocket(0, 0)}, limit: 100 * time.Second,
			want: []string{"0s token 1", "0s socket A", "30s GetClock", "41s socket A", "1m11s GetClock", "1m22s socket A"},
		},
		{
			name: "and not after one that did not", sockets: []func(*fakeServices, *websocket.Conn){serveSocket(time.Second, 0)}, limit: 30 * time.Second,
			want: []string{"0s token 1", "0s socket A", "2s socket A", "5s socket A", "10s socket A", "19s socket A"},
		},
		{
			name: "a bad token is replaced at once, but once", sockets: []func(*fakeServices, *websocket.Conn){serveSocket(70*time.Second, 4407), serveSocket(time.Second, 4407), serveSocket(0, 0)}, limit: 80 * time.Second,
			want: []string{"0s token 1", "0s socket A", "30s GetClock", "1m0s GetClock", "1m10s token 2", "1m10s socket B", "1m13s token 3", "1m13s socket C"},
		},
		{
			name: "an unanswered GetClock is a lost socket", sockets: []func(*fakeServices, *websocket.Conn){ignoreRequests, serveSocket(0, 0)}, limit: 45 * time.Second,
			want: []string{"0s token 1", "0s socket A", "41s socket A"},
		},
		{
			name: "a handshake with 5xx is tried again after 5, 10, 15 seconds", replies: []reply{{status: 503}, {status: 503}, {status: 503}}, sockets: []func(*fakeServices, *websocket.Conn){serveSocket(0, 0)}, limit: 40 * time.Second,
			want: []string{"0s token 1", "0s " + key, "5s " + key, "15s " + key, "30s socket A"},
		},
		{
			name: "one with 4xx is not", replies: []reply{{status: 403}}, sockets: []func(*fakeServices, *websocket.Conn){serveSocket(0, 0)}, limit: time.Hour,
			want: []string{"0s token 1", "0s " + key}, fails: api.ErrBadCredentials,
		},
		{
			name: "nor one whose new token is refused", replies: []reply{{status: 401}}, sockets: []func(*fakeServices, *websocket.Conn){serveSocket(0, 0)}, limit: time.Hour,
			want: []string{"0s token 1", "0s " + key}, fails: api.ErrBadCredentials,
		},
		{
			name: "three retries and no more", replies: slices.Repeat([]reply{{status: 503}}, 9), sockets: []func(*fakeServices, *websocket.Conn){nil}, limit: time.Hour, persist: api.RetryThreeTimes,
			want: []string{"0s token 1", "0s " + key, "5s " + key, "15s " + key, "30s " + key}, fails: errAny,
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
				err := s.client(func(cfg *api.Config) { cfg.Retry = c.persist }).Socket(api.SocketConfig{GetToken: tokens(s)}).Run(ctx)
				seen := s.timeline()
				switch {
				case c.fails == nil:
					require.NoError(t, err)
				case !errors.Is(c.fails, errAny):
					require.ErrorIs(t, err, c.fails)
				default:
					require.Error(t, err)
				}
				require.Equal(t, c.want, seen)
			})
		})
	}
}

var errAny = errors.New("any")

// TestServiceThatMovedIsFound: when a host stops answering, the next attempt asks the
// Domain API where the service is now.
func TestServiceThatMovedIsFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /signup"] = []reply{okReply(`{"jwt":"j"}`)}
		c := s.client()
		s.domains["idp"] = "127.0.0.1:9" // refuses connections
		_, err := c.Domains(t.Context())
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() {
			s.mu.Lock()
			s.domains["idp"] = "127.0.0.1:1"
			s.mu.Unlock()
		})
		token, err := c.Signup(t.Context())
		require.NoError(t, err)
		require.Equal(t, "j", token)
		require.Equal(t, []string{"5s POST /signup"}, s.timeline())
	})
}

// TestDomainsAreAskedOnce, and an answer of the Domain API that is no success counts
// as a fault of the call.
func TestDomainsAreAskedOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /signup"] = []reply{okReply(`{"jwt":"j"}`)}
		s.mu.Lock()
		good := s.domainReply()
		s.mu.Unlock()
		s.replies["GET /service/baseURI.json"] = []reply{{status: 500}, good}
		c := s.client()
		for range 3 {
			_, err := c.Signup(t.Context())
			require.NoError(t, err)
		}
		require.Equal(t, []string{
			"0s GET /service/baseURI.json", "5s GET /service/baseURI.json", "5s POST /signup", "5s POST /signup", "5s POST /signup",
		}, s.timeline())
	})
}
