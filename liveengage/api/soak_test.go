package api_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
	"idpbridge/internal/memnet"
	"idpbridge/internal/pkce"
	"idpbridge/internal/robot"
	"idpbridge/internal/secret"
	"idpbridge/keys"
	"idpbridge/liveengage"
	"idpbridge/liveengage/api"
	"idpbridge/liveengage/setup"
	"idpbridge/liveengage/sim"
	"idpbridge/oidc"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// network is a network in memory that can break all its connections at once.
type network struct {
	*memnet.Network

	mu   sync.Mutex
	open []net.Conn
}

// dial connects to an address.
func (n *network) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	conn, err := n.DialContext(ctx, kind, address)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = append(n.open, conn)
	return conn, nil
}

// breakConnections closes every connection.
func (n *network) breakConnections() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.open {
		_ = c.Close()
	}
	n.open = nil
}

func (n *network) newTransport() *http.Transport { return &http.Transport{DialContext: n.dial} }

// consumer is jane in one browser. She signs in at the identity provider if it asks her
// to, in the code flow with PKCE.
type consumer struct{ browser *robot.Browser }

// fetchCredential is an api.CredentialSource.
func (c consumer) fetchCredential(ctx context.Context) (api.Credential, error) {
	verifier := pkce.NewVerifier()
	request := url.Values{
		"client_id": {"liveengage"}, "redirect_uri": {servertest.WindowURI}, "response_type": {"code"},
		"scope": {"openid"}, "state": {liveengage.WindowState(dev.Account, rand.Text())}, "nonce": {rand.Text()},
		"code_challenge": {pkce.Challenge(verifier)}, "code_challenge_method": {pkce.Method},
	}
	jane := robot.Credentials{Username: "jane", Password: "jane-password"}
	response, err := c.browser.SignIn(ctx, soakIssuer+"/authorize?"+request.Encode(), servertest.WindowURI, jane)
	if err != nil {
		return api.Credential{}, err
	}
	if response.Get("code") == "" || response.Get("state") != request.Get("state") {
		return api.Credential{}, fmt.Errorf("the provider returned %q", response.Encode())
	}
	return api.Credential{
		Code: secret.New(response.Get("code")), CodeVerifier: secret.New(verifier), RedirectURI: servertest.WindowURI,
	}, nil
}

// soak is two weeks of a brand with LiveEngage: the identity provider, LivePerson's
// services and a consumer's client, on one clock.
type soak struct {
	t      *testing.T
	net    *network
	idp    *servertest.Server
	log    servertest.Log
	client *api.Client
	chat   consumer // uses the socket
	other  consumer // jane with another browser
	socket *api.Socket

	connector, conversation string
	lines, broken           int
	keySets                 atomic.Int32 // read by LiveEngage
}

const (
	soakIssuer    = "http://127.0.0.1:1"
	soakSimulator = "http://127.0.0.1:2"
	soakFor       = 14 * 24 * time.Hour
)

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t, net: &network{Network: memnet.New(t)}}
	s.idp = servertest.New(t, func(cfg *server.Config) {
		cfg.Settings.Issuer, cfg.Log = soakIssuer, slog.New(slog.NewJSONHandler(&s.log, nil))
	})
	var err error
	s.net.Serve(t, "127.0.0.1:1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == oidc.PathJWKS {
			s.keySets.Add(1)
		}
		s.idp.Handler().ServeHTTP(w, r)
	}))

	facts := server.SetupFacts(s.idp.Settings, s.idp.Clients, "liveengage", s.idp.Keys, time.Now())
	connector := sim.Connector{
		Connector:    setup.NewConnector(facts, liveengage.FlowCode, liveengage.KeyTypeJWKS),
		ClientSecret: secret.New(dev.LiveEngageSecret),
	}
	toIDP := s.net.newTransport()
	simulator, err := sim.New(sim.Config{
		Address: soakSimulator, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&s.log, nil)), Issuer: soakIssuer,
		HTTP: &http.Client{Transport: toIDP}, Connectors: []sim.Connector{connector},
	})
	require.NoError(t, err)
	s.net.Serve(t, "127.0.0.1:2", simulator.Handler())

	toAll := s.net.newTransport()
	t.Cleanup(func() { toIDP.CloseIdleConnections(); toAll.CloseIdleConnections() })
	s.client, err = api.New(api.Config{
		Account: dev.Account, DomainAPI: soakSimulator, HTTP: &http.Client{Transport: toAll}, Now: time.Now,
		Log: slog.New(slog.NewJSONHandler(&s.log, nil)),
	})
	require.NoError(t, err)
	s.chat, s.other = consumer{robot.New(toAll)}, consumer{robot.New(toAll)}
	return s
}

// TestTwoWeeksEndToEnd: a consumer chats for fourteen days. Her token is renewed every
// half hour, and her session at the brand ends and starts again. The signing key changes
// six times, once before LiveEngage has read the new one. The connection breaks every few
// hours, and an agent stays logged in. A message is sent every hour, when a connection
// breaks, and when a token is renewed. Each arrives once and in order, nothing is
// rejected, and the log has no errors but the broken connections.
func TestTwoWeeksEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("two weeks on a fake clock take a while")
	}
	synctest.Test(t, func(t *testing.T) {
		s := newSoak(t)
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var group sync.WaitGroup
		defer group.Wait()
		defer stop()
		connectors, err := s.client.Connectors(ctx)
		require.NoError(t, err)
		s.connector = connectors[0].ID.String()
		renewing := make(chan struct{}, 1)
		s.socket = s.client.Socket(api.SocketConfig{
			GetToken: func(ctx context.Context) (string, error) {
				select {
				case renewing <- struct{}{}:
				default:
				}
				return s.authenticate(ctx, s.chat)
			},
		})
		group.Go(func() {
			if err := s.socket.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		s.conversation, err = s.socket.StartConversation(ctx)
		require.NoError(t, err)
		agent, err := s.client.Login(ctx, "agent", "agent-password")
		require.NoError(t, err)
		group.Go(func() {
			if err := agent.KeepAlive(ctx); err != nil {
				t.Error(err)
			}
		})

		kids, renewals, hour := map[string]bool{}, 0, 0
		// Everything else happens at whole minutes, so that only the socket breaks then and
		// the errors can be counted.
		next := time.NewTimer(time.Hour + 17*time.Second)
		for hour < int(soakFor/time.Hour) {
			select {
			case <-renewing:
				renewals++
			case <-next.C:
				next.Reset(time.Hour)
				hour++
				s.passHour(ctx, hour)
				kids[s.idp.Keys.ActiveKey("RS256").ID] = true
			}
			s.sendLine(ctx)
		}
		s.requireResult(ctx, agent, renewals, len(kids))
	})
}

// authenticate gives a credential of the consumer to LiveEngage.
func (s *soak) authenticate(ctx context.Context, c consumer) (string, error) {
	return s.client.Authenticate(ctx, api.Authentication{Connector: s.connector, Source: c.fetchCredential})
}

// sendLine sends the next message.
func (s *soak) sendLine(ctx context.Context) {
	s.t.Helper()
	n, err := s.socket.Publish(ctx, s.conversation, fmt.Sprintf("line %d", s.lines))
	require.NoError(s.t, err)
	require.Equal(s.t, s.lines, n)
	s.lines++
}

// passHour sweeps the database, and at some hours changes keys or breaks connections.
func (s *soak) passHour(ctx context.Context, hour int) {
	s.t.Helper()
	_, err := s.idp.Store.Sweep(ctx, time.Now())
	require.NoError(s.t, err)
	if hour%7 == 0 {
		s.broken++
		go s.net.breakConnections() // while the message of this hour is sent
	}
	if hour == 116 { // no key is next or retiring
		s.rotateAtOnce(ctx)
	}
	switch hour % 60 {
	case 20:
		added, err := s.idp.Keys.AddNext(ctx, "RS256")
		require.True(s.t, added)
		require.NoError(s.t, err)
	case 45: // a day later, after the key set was read many times
		promoted, err := s.idp.Keys.Promote(ctx, "RS256")
		require.True(s.t, promoted)
		require.NoError(s.t, err)
	case 50:
		for _, k := range s.idp.Keys.PublicKeys() {
			if k.State == keys.Retiring {
				removed, err := s.idp.Keys.Remove(ctx, k.ID)
				require.True(s.t, removed)
				require.NoError(s.t, err)
			}
		}
	}
}

// rotateAtOnce publishes a key and signs with it within a minute, while LiveEngage still
// has the old key set in its cache. An unknown kid makes it read the set again.
func (s *soak) rotateAtOnce(ctx context.Context) {
	s.t.Helper()
	_, err := s.authenticate(ctx, s.other)
	require.NoError(s.t, err)
	read := s.keySets.Load()
	before := s.idp.Keys.ActiveKey("RS256").ID
	added, err := s.idp.Keys.AddNext(ctx, "RS256")
	require.True(s.t, added)
	require.NoError(s.t, err)
	time.Sleep(40 * time.Second)
	_, err = s.authenticate(ctx, s.other)
	require.NoError(s.t, err)
	require.Equal(s.t, read, s.keySets.Load(), "the set is cached")
	promoted, err := s.idp.Keys.Promote(ctx, "RS256")
	require.True(s.t, promoted)
	require.NoError(s.t, err)
	require.NotEqual(s.t, before, s.idp.Keys.ActiveKey("RS256").ID)
	_, err = s.authenticate(ctx, s.other)
	require.NoError(s.t, err, "an unknown kid")
	require.Equal(s.t, read+1, s.keySets.Load())
}

// requireResult checks the log and the stored messages after the two weeks.
func (s *soak) requireResult(ctx context.Context, agent *api.Session, renewals, kids int) {
	s.t.Helper()
	require.GreaterOrEqual(s.t, kids, 6, "keys")
	records, err := s.client.Interactions(ctx, agent.AuthorizationHeader, s.conversation)
	require.NoError(s.t, err)
	require.Len(s.t, records, 1)
	require.Len(s.t, records[0].SDEs.Events, 2, "the agent still sees who she is")
	require.Contains(s.t, string(records[0].SDEs.Events[0].CustomerInfo), `"customerType":"gold"`)

	log := s.log.String()
	require.GreaterOrEqual(s.t, renewals, int(soakFor/(30*time.Minute)), "a token every half hour")
	redeemed := strings.Count(log, `"msg":"code redeemed"`)
	require.Equal(s.t, renewals+3, redeemed, "one code for each token, and three at the change of a key")
	require.GreaterOrEqual(s.t, strings.Count(log, `"msg":"authorization succeeded"`), redeemed)
	for _, unwanted := range []string{`"level":"ERROR"`, `"msg":"simulator_rejected"`, "refresh token", "code rejected"} {
		require.NotContains(s.t, log, unwanted)
	}
	failures := map[string]int{}
	for line := range strings.Lines(log) {
		var entry struct{ Msg, Service, Request string }
		require.NoError(s.t, json.Unmarshal([]byte(line), &entry), line)
		if entry.Msg == "liveengage_request_failed" {
			kind, _, _ := strings.Cut(entry.Request, " ")
			failures[entry.Service+" "+kind]++
		}
	}
	require.Equal(s.t, map[string]int{"asyncMessagingEnt socket": s.broken}, failures)
	stored := s.readLines(ctx, agent)
	require.Len(s.t, stored, 500, "the simulator keeps the last 500")
	for i, text := range stored {
		require.Equal(s.t, fmt.Sprintf("line %d", s.lines-len(stored)+i), text, "each line is stored once")
	}
}

// readLines returns the messages of the conversation that the simulator stored.
func (s *soak) readLines(ctx context.Context, agent *api.Session) []string {
	s.t.Helper()
	search := soakSimulator + "/messaging_history/api/account/" + dev.Account + "/conversations/search?v=2"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, search, strings.NewReader("{}"))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", agent.AuthorizationHeader(r.Method, search))
	transport := s.net.newTransport()
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(r)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	var found struct {
		Records []struct {
			Messages []struct {
				Data struct {
					Msg struct{ Text string } `json:"msg"`
				} `json:"messageData"`
			} `json:"messageRecords"`
		} `json:"conversationHistoryRecords"`
	}
	require.NoError(s.t, json.NewDecoder(res.Body).Decode(&found))
	require.Len(s.t, found.Records, 1)
	var out []string
	for _, m := range found.Records[0].Messages {
		out = append(out, m.Data.Msg.Text)
	}
	return out
}
