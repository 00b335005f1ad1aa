package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/dev"
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

// memoryNet carries connections between the parties of a test in its bubble, by
// port, and can lose all of them at once.
type memoryNet struct {
	mu    sync.Mutex
	ports map[string]chan net.Conn
	open  []net.Conn
}

func (n *memoryNet) DialContext(ctx context.Context, _, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	select {
	case n.ports[port] <- theirs:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open = append(n.open, ours)
	return ours, nil
}

// lose breaks every connection.
func (n *memoryNet) lose() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.open {
		_ = c.Close()
	}
	n.open = nil
}

func (n *memoryNet) transport() *http.Transport { return &http.Transport{DialContext: n.DialContext} }

// serve answers on a port until the test ends.
func (n *memoryNet) serve(t *testing.T, port string, h http.Handler) {
	t.Helper()
	l := &memoryListener{conns: n.ports[port], done: make(chan struct{})}
	server := &http.Server{Handler: h}
	var group sync.WaitGroup
	group.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		_ = server.Close()
		group.Wait()
	})
}

type memoryListener struct {
	conns chan net.Conn
	once  sync.Once
	done  chan struct{}
}

func (l *memoryListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memoryListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *memoryListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// soak is two weeks of a brand with LiveEngage: this program, LivePerson's services
// and a consumer's client, on one clock.
type soak struct {
	t      *testing.T
	net    *memoryNet
	idp    *servertest.Server
	log    lockedBuffer
	client *api.Client
	source *credentialSource // the socket's
	other  *credentialSource // the same person with another browser
	socket *api.Socket

	connector, talk string
	lines, losses   int
	keySets         atomic.Int32 // read by LiveEngage
}

const (
	soakIssuer    = "http://127.0.0.1:1"
	soakSimulator = "http://127.0.0.1:2"
	soakFor       = 14 * 24 * time.Hour
)

func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{t: t, net: &memoryNet{ports: map[string]chan net.Conn{"1": make(chan net.Conn), "2": make(chan net.Conn)}}}
	s.idp = servertest.New(t, func(cfg *server.Config) {
		cfg.Settings.Issuer, cfg.Log = soakIssuer, slog.New(slog.NewJSONHandler(&s.log, nil))
	})
	var err error
	s.net.serve(t, "1", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == oidc.PathJWKS {
			s.keySets.Add(1)
		}
		s.idp.Handler().ServeHTTP(w, r)
	}))

	facts := server.SetupFacts(s.idp.Settings, s.idp.Clients, "liveengage", s.idp.Keys, time.Now())
	connector := sim.Connector{Connector: setup.NewConnector(facts, liveengage.FlowCode, liveengage.KeyTypeJWKS), ClientSecret: secret.New(dev.LiveEngageSecret)}
	toIDP := s.net.transport()
	simulator, err := sim.New(sim.Config{
		Address: soakSimulator, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&s.log, nil)), Issuer: soakIssuer,
		HTTP: &http.Client{Transport: toIDP}, Connectors: []sim.Connector{connector},
	})
	require.NoError(t, err)
	s.net.serve(t, "2", simulator.Handler())

	toAll := s.net.transport()
	t.Cleanup(func() { toIDP.CloseIdleConnections(); toAll.CloseIdleConnections() })
	s.client, err = api.New(api.Config{
		Account: dev.Account, DomainAPI: soakSimulator, HTTP: &http.Client{Transport: toAll}, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&s.log, nil)),
	})
	require.NoError(t, err)
	for _, who := range []**credentialSource{&s.source, &s.other} {
		*who = &credentialSource{
			issuer: soakIssuer, browser: robot.New(toAll), flow: liveengage.FlowCode, pkce: true,
			clientID: "liveengage", redirectURI: fixedURI, person: robot.Credentials{Username: "jane", Password: "jane-password"},
		}
	}
	return s
}

// TestTwoWeeks: a consumer chats for fourteen days while her token is renewed every
// half hour, her session at the brand ends and begins again, the signing key changes
// six times, once before LiveEngage has seen the new one, the connection is lost every
// few hours, and an agent stays logged in. A line is written every hour, in the moment
// of each loss and in that of each renewal. Each arrives once and in order, nothing is
// refused, and nothing is logged as a fault but the losses.
func TestTwoWeeks(t *testing.T) {
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
				return s.authenticate(ctx, s.source)
			},
		})
		group.Go(func() {
			if err := s.socket.Run(ctx); err != nil {
				t.Error(err)
			}
		})
		s.talk, err = s.socket.StartConversation(ctx)
		require.NoError(t, err)
		agent, err := s.client.Login(ctx, "agent", "agent-password")
		require.NoError(t, err)
		group.Go(func() {
			if err := agent.KeepAlive(ctx); err != nil {
				t.Error(err)
			}
		})

		kids, renewals, hour := map[string]bool{}, 0, 0
		// Everything else happens at whole minutes; what is lost at these moments is the
		// socket alone, so that the faults can be counted.
		next := time.NewTimer(time.Hour + 17*time.Second)
		for hour < int(soakFor/time.Hour) {
			select {
			case <-renewing:
				renewals++
			case <-next.C:
				next.Reset(time.Hour)
				hour++
				s.hourly(ctx, hour)
				kids[s.idp.Keys.ActiveKey("RS256").ID] = true
			}
			s.write(ctx)
		}
		s.check(ctx, agent, renewals, len(kids))
	})
}

// authenticate has LiveEngage take a person's credential.
func (s *soak) authenticate(ctx context.Context, who *credentialSource) (string, error) {
	return s.client.Authenticate(ctx, api.Authentication{Connector: s.connector, Source: who.fetchCredential})
}

// write writes the next line.
func (s *soak) write(ctx context.Context) {
	s.t.Helper()
	n, err := s.socket.Publish(ctx, s.talk, fmt.Sprintf("line %d", s.lines))
	require.NoError(s.t, err)
	require.Equal(s.t, s.lines, n)
	s.lines++
}

// hourly is what operators and bad luck do.
func (s *soak) hourly(ctx context.Context, hour int) {
	s.t.Helper()
	_, err := s.idp.Store.Sweep(ctx, time.Now())
	require.NoError(s.t, err)
	if hour%7 == 0 {
		s.losses++
		go s.net.lose() // while the line of this hour is written
	}
	if hour == 116 { // no key is waiting or leaving
		s.rotateAtOnce(ctx)
	}
	switch hour % 60 {
	case 20:
		added, err := s.idp.Keys.AddNext(ctx, "RS256")
		require.True(s.t, added)
		require.NoError(s.t, err)
	case 45: // a day later, in which the key set was read again and again
		moved, err := s.idp.Keys.Promote(ctx, "RS256")
		require.True(s.t, moved)
		require.NoError(s.t, err)
	case 50:
		for _, k := range s.idp.Keys.PublicKeys() {
			if k.State == keys.Retiring {
				gone, err := s.idp.Keys.Remove(ctx, k.ID)
				require.True(s.t, gone)
				require.NoError(s.t, err)
			}
		}
	}
}

// rotateAtOnce publishes a key and signs with it within a minute, while LiveEngage
// keeps the key set of before: a kid that is not in it makes it read the set anew.
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
	require.Equal(s.t, read, s.keySets.Load(), "it has kept the set")
	moved, err := s.idp.Keys.Promote(ctx, "RS256")
	require.True(s.t, moved)
	require.NoError(s.t, err)
	require.NotEqual(s.t, before, s.idp.Keys.ActiveKey("RS256").ID)
	_, err = s.authenticate(ctx, s.other)
	require.NoError(s.t, err, "a kid that it has not seen")
	require.Equal(s.t, read+1, s.keySets.Load())
}

// check looks at what is left of the two weeks.
func (s *soak) check(ctx context.Context, agent *api.Session, renewals, kids int) {
	s.t.Helper()
	require.GreaterOrEqual(s.t, kids, 6, "keys")
	records, err := s.client.Interactions(ctx, agent.AuthorizationHeader, s.talk)
	require.NoError(s.t, err)
	require.Len(s.t, records, 1)
	require.Len(s.t, records[0].SDEs.Events, 2, "the agent still sees who she is")
	require.Contains(s.t, string(records[0].SDEs.Events[0].CustomerInfo), `"customerType":"gold"`)

	log := s.log.String()
	require.GreaterOrEqual(s.t, renewals, int(soakFor/(30*time.Minute)), "a token every half hour")
	redeemed := strings.Count(log, `"msg":"code redeemed"`)
	require.Equal(s.t, renewals+3, redeemed, "one code for each token, and three at the change of a key")
	require.GreaterOrEqual(s.t, strings.Count(log, `"msg":"authorization succeeded"`), redeemed)
	for _, bad := range []string{`"level":"ERROR"`, `"msg":"simulator_rejected"`, "refresh token", "code rejected"} {
		require.NotContains(s.t, log, bad)
	}
	faults := map[string]int{}
	for line := range strings.Lines(log) {
		var entry struct{ Msg, Service, Request string }
		require.NoError(s.t, json.Unmarshal([]byte(line), &entry), line)
		if entry.Msg == "liveengage_request_failed" {
			kind, _, _ := strings.Cut(entry.Request, " ")
			faults[entry.Service+" "+kind]++
		}
	}
	require.Equal(s.t, map[string]int{"asyncMessagingEnt socket": s.losses}, faults)
	stored := s.storedLines(ctx, agent)
	require.Len(s.t, stored, 500, "the simulator keeps the last 500")
	for i, text := range stored {
		require.Equal(s.t, fmt.Sprintf("line %d", s.lines-len(stored)+i), text, "each line is stored once")
	}
}

// storedLines returns the texts of the conversation, as the simulator keeps them.
func (s *soak) storedLines(ctx context.Context, agent *api.Session) []string {
	s.t.Helper()
	address := soakSimulator + "/messaging_history/api/account/" + dev.Account + "/conversations/search?v=2"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader("{}"))
	require.NoError(s.t, err)
	r.Header.Set("Authorization", agent.AuthorizationHeader(r.Method, address))
	transport := s.net.transport()
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
