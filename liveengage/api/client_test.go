package api_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/secret"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
)

// TestAllowedHosts: loopback is always allowed, other hosts only if listed and with https.
func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	named := append(api.LivePersonHosts(), "idp.brand.example")
	for address, allowed := range map[string]bool{
		"http://127.0.0.1:8090/":               true,
		"http://[::1]/":                        true,
		"http://localhost:1/":                  true,
		"https://api.liveperson.net/":          true,
		"wss://va.msg.liveperson.net/":         true,
		"https://API.LivePerson.NET./":         true,
		"https://idp.brand.example/":           true,
		"http://api.liveperson.net/":           false,
		"https://liveperson.net.evil.example/": false,
		"https://evil-liveperson.net/":         false,
		"https://www.idp.brand.example/":       false,
		"https://127.0.0.1.evil.example/":      false,
		"https://10.0.0.1/":                    false,
		"https://liveperson.net/":              false,
	} {
		u, err := url.Parse(address)
		require.NoError(t, err)
		require.Equal(t, allowed, named.Check(u) == nil, address)
		if !allowed {
			require.ErrorIs(t, named.Check(u), api.ErrHostNotAllowed)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		c := s.client(func(cfg *api.Config) { cfg.DomainAPI = "" })
		_, err := c.Domains(t.Context())
		require.ErrorIs(t, err, api.ErrHostNotAllowed)
		require.Zero(t, time.Since(s.start), "not retried")
		s.domains["idp"] = "idp.liveperson.net"
		_, err = authenticate(t, s.client())
		require.ErrorIs(t, err, api.ErrHostNotAllowed)
		require.Empty(t, s.timeline())
	})
}

// TestRedirects: only those within a host are followed.
func TestRedirects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /authenticate"] = []reply{
			{status: 307, header: map[string][]string{"Location": {"http://127.0.0.1:2/elsewhere"}}},
		}
		_, err := authenticate(t, s.client())
		require.ErrorContains(t, err, "redirect not followed: from http://127.0.0.1:1 to http://127.0.0.1:2")
		s.replies["POST /authenticate"] = []reply{{status: 307, header: map[string][]string{"Location": {"/here"}}}}
		s.replies["POST /here"] = []reply{okReply(`{"jwt":"j"}`)}
		token, err := authenticate(t, s.client())
		require.NoError(t, err)
		require.Equal(t, "j", token)
		require.Equal(t, []string{"0s POST /authenticate", "0s POST /authenticate", "0s POST /here"}, s.timeline())
	})
}

// TestResponseLimit: a response has at most one megabyte.
func TestResponseLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /authenticate"] = []reply{okReply(`{"jwt":"` + strings.Repeat("x", 1<<20) + `"}`)}
		_, err := authenticate(t, s.client())
		require.ErrorContains(t, err, "larger than 1048576 bytes")
	})
}

// TestDomainForms: a single service comes alone or in a list.
func TestDomainForms(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		c := s.client()
		const key = "GET /service/sentinel/baseURI.json"
		for _, body := range []string{
			`{"service":"sentinel","account":"12345678","baseURI":"va.sentinel.liveperson.net"}`,
			`{"baseURIs":[{"service":"sentinel","account":"12345678","baseURI":"va.sentinel.liveperson.net"}]}`,
		} {
			s.replies[key] = []reply{okReply(body)}
			d, err := c.Domain(t.Context(), "sentinel")
			require.NoError(t, err)
			require.Equal(t, "va.sentinel.liveperson.net", d.BaseURI)
		}
		s.replies[key] = []reply{okReply(`{"baseURIs":[]}`)}
		_, err := c.Domain(t.Context(), "sentinel")
		require.ErrorIs(t, err, api.ErrUnknownService)
		s.replies[key] = []reply{{status: 401}}
		_, err = c.Domain(t.Context(), "sentinel")
		require.ErrorIs(t, err, api.ErrBadCredentials)
		all, err := c.Domains(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 5)
		require.Equal(t, "accountConfigReadWrite", all[0].Service)
	})
}

// TestConfigValidation checks what New rejects.
func TestConfigValidation(t *testing.T) {
	t.Parallel()
	for _, bad := range []api.Config{{}, {Account: "1/../2"}, {Account: "1", Now: time.Now}} {
		_, err := api.New(bad)
		require.Error(t, err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		_, err := api.New(api.Config{Account: "1", DomainAPI: "ftp://x", Now: time.Now, Log: nil})
		require.Error(t, err)
		require.Equal(t, account, s.client().Account())
	})
}

// TestLoginErrors: callers can branch on them.
func TestLoginErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		client := s.client()
		const badCSRF = `{"error":{"time":1,"message":"CSRF token invalid! x","internalCode":10,` +
			`"responseStatus":"UNAUTHORIZED"}}`
		for _, c := range []struct {
			response reply
			want     error
		}{
			{reply{status: 400}, api.ErrBadRequest},
			{reply{status: 401}, api.ErrBadCredentials},
			{reply{status: 401, body: badCSRF}, api.ErrCSRF},
		} {
			s.replies["POST /login"] = []reply{c.response}
			_, err := client.LoginApplication(t.Context(), "bot", testKey())
			require.ErrorIs(t, err, c.want)
			e, ok := errors.AsType[*api.Error](err)
			require.True(t, ok)
			require.Equal(t, c.response.status, e.Status)
			require.Equal(t, "agentVep", e.Service)
		}
		const body = `{"username":"bot","appKey":"a","secret":"b","accessToken":"c","accessTokenSecret":"d"}`
		require.JSONEq(t, body, s.bodies[len(s.bodies)-1])
		s.replies["POST /login"] = []reply{okReply(`{}`)}
		_, err := client.Login(t.Context(), "ann", "p")
		require.ErrorContains(t, err, "no bearer")
	})
}

// TestReadLists reads connectors without a login, and users and interactions with one.
func TestReadLists(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		c := s.client()
		s.replies["GET /configuration/le-connectors/all-connectors"] = []reply{
			okReply(`[{"id":4056284238,"name":"my idp","type":2,"deleted":false,
			"configuration":{"issuer":"https://id.brand.example","clientId":"liveengage","pkceEnabled":true,"acrValues":"loa1"}},
			{"id":"2","name":"old","type":1,"deleted":true,"configuration":{"issuer":"https://old.brand.example"}}]`),
		}
		all, err := c.Connectors(t.Context())
		require.NoError(t, err)
		require.Len(t, all, 2)
		k, found := api.FindConnector(all, "https://id.brand.example", "liveengage")
		require.True(t, found)
		require.Equal(t, "4056284238", k.ID.String())
		require.Equal(t, liveengage.FlowCode, k.Flow())
		require.Equal(t, liveengage.FlowImplicit, all[1].Flow())
		_, found = api.FindConnector(all, "https://old.brand.example", "")
		require.False(t, found, "it is deleted")

		s.replies["GET /configuration/le-users/users"] = []reply{okReply(`[{"id":"1","loginName":"ann","isEnabled":true}]`)}
		users, err := c.Users(t.Context(), c.KeyAuthorizer(testKey()))
		require.NoError(t, err)
		require.Equal(t, "ann", users[0].LoginName)
		require.True(t, strings.HasPrefix(s.headers[len(s.headers)-1].Get("Authorization"), "OAuth oauth_consumer_key="))

		s.replies["POST /messaging_history/conversations/conversation/search"] = []reply{
			okReply(`{"conversationHistoryRecords":[{"sdes":{"events":[{
				"customerInfo":{"serverTimeStamp":"1497871291351","customerInfo":{"customerStatus":"cancelled"}},
				"sdeType":"CUSTOMER_INFO","serverTimeStamp":"1497871291351"}]}}]}`),
		}
		records, err := c.Interactions(t.Context(), func(string, string) string { return "Bearer b" }, "conv-1")
		require.NoError(t, err)
		require.Equal(t, "CUSTOMER_INFO", records[0].SDEs.Events[0].Type)
		require.Contains(t, string(records[0].SDEs.Events[0].CustomerInfo), "cancelled")
		require.JSONEq(t, `{"conversationId":"conv-1"}`, s.bodies[len(s.bodies)-1])
		require.Equal(t, "Bearer b", s.headers[len(s.headers)-1].Get("Authorization"))
	})
}

// TestAuthenticate checks the body of each version, LivePerson's code in the error, and
// that every attempt gets a new code.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	token := api.Credential{IDToken: secret.New("t")}
	for _, c := range []struct {
		path string
		a    api.Authentication
		give api.Credential
		want string
	}{
		{"/authenticate", api.Authentication{Version: 1}, token, `{"authCode":"t"}`},
		{"/authenticate", api.Authentication{Version: 1}, api.Credential{Code: secret.New("c")}, `{"authCode":"c"}`},
		{
			"/app/default/authenticate",
			api.Authentication{Version: 2},
			api.Credential{Code: secret.New("c")},
			`{"code":"c","redirect_uri":"https://liveperson.net"}`,
		},
		{"/app/default/authenticate", api.Authentication{}, token, `{"id_token":"t"}`},
		{"/app/77/authenticate", api.Authentication{Version: 3, Connector: "77"}, token, `{"id_token":"t"}`},
		{
			"/app/77/authenticate",
			api.Authentication{Connector: "77"},
			api.Credential{Code: secret.New("c"), RedirectURI: "https://r", CodeVerifier: secret.New("v")},
			`{"code":"c","code_verifier":"v","redirect_uri":"https://r"}`,
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			s.replies["POST "+c.path] = []reply{okReply(`{"token":"lp"}`)}
			c.a.Source = func(context.Context) (api.Credential, error) { return c.give, nil }
			got, err := s.client().Authenticate(t.Context(), c.a)
			require.NoError(t, err)
			require.Equal(t, "lp", got)
			require.Equal(t, c.want, s.bodies[len(s.bodies)-1])
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		s.replies["POST /app/default/authenticate"] = []reply{{status: 500, body: `{"internalErrorCode":"9001"}`}}
		client := s.client()
		n := 0
		_, err := client.Authenticate(t.Context(), api.Authentication{Source: func(context.Context) (api.Credential, error) {
			n++
			return api.Credential{Code: secret.New(strings.Repeat("c", n))}, nil
		}})
		e, ok := errors.AsType[*api.Error](err)
		require.True(t, ok)
		require.Equal(t, "9001", e.Code)
		require.Contains(t, e.Error(), "idp returned 500 Internal Server Error, code 9001: server error. ")
		require.Equal(t, 4, n, "a code is never sent twice")
		require.Contains(t, s.bodies[4], `"cccc"`)
		require.Contains(t, s.log.String(), "code=9001")
	})
	synctest.Test(t, func(t *testing.T) {
		s := startServices(t)
		rejected := errors.New("login required")
		_, err := s.client().Authenticate(t.Context(), api.Authentication{
			Source: func(context.Context) (api.Credential, error) { return api.Credential{}, api.Permanent(rejected) },
		})
		require.ErrorIs(t, err, rejected)
		require.Zero(t, time.Since(s.start))
		require.Empty(t, s.timeline())
	})
}

// TestConversation sends the token in a header or in a first message. A message that
// is sent while the connection is lost waits for the next one.
func TestConversation(t *testing.T) {
	t.Parallel()
	for _, inMessage := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := startServices(t)
			s.sockets = append(s.sockets, serveSocket(40*time.Second, 0), nil, serveSocket(0, 0))
			socket := s.client().Socket(api.SocketConfig{
				TokenInMessage: inMessage,
				GetToken:       func(context.Context) (string, error) { return "lp", nil },
			})
			ctx, cancel := context.WithCancel(t.Context())
			var group sync.WaitGroup
			group.Go(func() { require.NoError(t, socket.Run(ctx)) })
			conversation, err := socket.StartConversation(ctx)
			require.NoError(t, err)
			require.Equal(t, "conv-1", conversation)
			_, err = socket.Publish(ctx, conversation, "my parcel is lost")
			require.NoError(t, err)

			// The connection is lost at 40 s, and the second reconnect succeeds at 43 s.
			time.Sleep(41*time.Second - time.Since(s.start) + time.Millisecond)
			_, err = socket.Publish(ctx, conversation, "are you there?")
			require.NoError(t, err)
			require.Equal(t, 43*time.Second, time.Since(s.start))
			cancel()
			group.Wait()
			_, err = socket.Publish(t.Context(), conversation, "too late")
			require.ErrorIs(t, err, api.ErrClosed)

			all := strings.Join(s.bodies, "\n")
			require.Contains(t, all, `"message":"my parcel is lost"`)
			require.Equal(t, inMessage, strings.Contains(all, `".ams.headers.ConsumerAuthentication"`))
			require.Equal(t, !inMessage, strings.Contains(strings.Join(s.timeline(), "\n"), "socket lp"))
		})
	}
}

// TestUsersServices: a read-only key works at one service and a key that may write at the
// other. The one that cannot change anything is tried first.
func TestUsersServices(t *testing.T) {
	t.Parallel()
	const users = "GET /configuration/le-users/users"
	list := okReply(`[{"id":"1","loginName":"ann"}]`)
	for name, c := range map[string]struct {
		readOnly bool
		replies  []reply
		requests int
		fails    error
	}{
		"read-only key":        {true, []reply{list}, 1, nil},
		"key that may write":   {true, []reply{{status: 401}, list}, 2, nil},
		"no read-only service": {false, []reply{list}, 1, nil},
		"key of neither":       {true, []reply{{status: 403}, {status: 403}}, 2, api.ErrBadCredentials},
		"another error":        {true, []reply{{status: 400}}, 1, api.ErrBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := startServices(t)
				if c.readOnly {
					s.domains["accountConfigReadOnly"] = "127.0.0.1:1"
				}
				s.replies[users] = c.replies
				client := s.client()
				got, err := client.Users(t.Context(), client.KeyAuthorizer(testKey()))
				require.ErrorIs(t, err, c.fails)
				require.Equal(t, c.fails == nil, len(got) == 1)
				require.Len(t, s.timeline(), c.requests)
			})
		})
	}
}
