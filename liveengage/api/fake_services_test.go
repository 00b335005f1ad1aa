package api_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"idpbridge/internal/memnet"
	"idpbridge/internal/secret"
	"idpbridge/liveengage/api"
)

const account = "12345678"

// fakeServices are LivePerson's services in memory, on the clock of the test's bubble.
// They record which request came when.
type fakeServices struct {
	t       testing.TB
	start   time.Time
	network *memnet.Network

	mu      sync.Mutex
	entries []string // of the timeline
	bodies  []string
	headers []http.Header
	replies map[string][]reply // by method and path without the account; the last one repeats
	sockets []func(s *fakeServices, conn *websocket.Conn)
	domains map[string]string
	log     lockedBuffer
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (c *lockedBuffer) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.Write(p)
}

func (c *lockedBuffer) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.b.String()
}

// reply is one response.
type reply struct {
	status int
	body   string
	header http.Header
	drop   bool // the connection ends without a response
	hang   bool // there is no response
}

func okReply(body string) reply { return reply{status: 200, body: body} }

const loginBody = `{"csrf":"c-1","wsuk":"w","config":{},"bearer":"b-1","sessionTTl":"28800000"}`

// startServices starts the services. The test must be in a bubble.
func startServices(t testing.TB) *fakeServices {
	t.Helper()
	s := &fakeServices{
		t: t, start: time.Now(), replies: map[string][]reply{}, domains: map[string]string{
			"idp": "127.0.0.1:1", "agentVep": "127.0.0.1:1", "asyncMessagingEnt": "127.0.0.1:1",
			"accountConfigReadWrite": "127.0.0.1:1", "msgHist": "127.0.0.1:1",
		},
	}
	// The clock stops at the end of the test. Closing handshakes time out before that.
	t.Cleanup(func() { time.Sleep(time.Hour) })
	s.network = memnet.New(t)
	s.network.Serve(t, "127.0.0.1:1", s)
	return s
}

func (s *fakeServices) client(change ...func(*api.Config)) *api.Client {
	s.t.Helper()
	cfg := api.Config{
		Account: account, DomainAPI: "http://127.0.0.1:1", HTTP: &http.Client{Transport: s.network.Transport()},
		Now: time.Now, Log: slog.New(slog.NewTextHandler(&s.log, nil)),
	}
	for _, c := range change {
		c(&cfg)
	}
	c, err := api.New(cfg)
	require.NoError(s.t, err)
	return c
}

// record adds an entry to the timeline.
func (s *fakeServices) record(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = append(s.entries, fmt.Sprintf("%v ", time.Since(s.start))+fmt.Sprintf(format, args...))
}

// recordBody keeps a message that a socket received.
func (s *fakeServices) recordBody(body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bodies = append(s.bodies, body)
}

// timeline returns what was recorded. Requests to the Domain API are missing unless a
// test sets their replies.
func (s *fakeServices) timeline() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.entries)
}

func (s *fakeServices) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	path := strings.Replace(r.URL.Path, "/api/account/"+account, "", 1)
	key := r.Method + " " + path
	if path == "/ws_api/account/"+account+"/messaging/consumer" && r.URL.RawQuery == "v=3" && len(s.replies[key]) == 0 {
		s.acceptSocket(w, r)
		return
	}
	s.mu.Lock()
	_, scripted := s.replies[key]
	a := s.nextReply(key, path, r.Header.Get("Upgrade") != "")
	s.bodies, s.headers = append(s.bodies, string(body)), append(s.headers, r.Header)
	s.mu.Unlock()
	if path != domainPath || scripted {
		s.record("%s", key)
	}
	if a.hang {
		<-r.Context().Done()
		return
	}
	if a.drop {
		dropConnection(w)
		return
	}
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(cmp.Or(a.status, http.StatusNotFound))
	_, _ = io.WriteString(w, a.body)
}

const domainPath = "/service/baseURI.json"

// nextReply returns the reply to a request. The last one of a list repeats, except to
// handshakes. The caller holds the mutex.
func (s *fakeServices) nextReply(key, path string, handshake bool) reply {
	list := s.replies[key]
	if len(list) == 0 {
		if path == domainPath {
			return s.domainReply()
		}
		return reply{}
	}
	if len(list) > 1 {
		s.replies[key] = list[1:]
	} else if handshake {
		delete(s.replies, key)
	}
	return list[0]
}

// dropConnection ends the connection without a response.
func dropConnection(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func (s *fakeServices) domainReply() reply {
	var list []map[string]string
	for service, uri := range s.domains {
		list = append(list, map[string]string{"service": service, "account": account, "baseURI": uri})
	}
	text, _ := json.Marshal(map[string]any{"baseURIs": list})
	return okReply(string(text))
}

// acceptSocket runs the next script; the last one repeats. A nil script drops the
// connection.
func (s *fakeServices) acceptSocket(w http.ResponseWriter, r *http.Request) {
	s.record("socket %s", strings.TrimPrefix(r.Header.Get("Authorization"), "jwt "))
	s.mu.Lock()
	script := s.sockets[0]
	if len(s.sockets) > 1 {
		s.sockets = s.sockets[1:]
	}
	s.mu.Unlock()
	if script == nil {
		dropConnection(w)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	script(s, conn)
	_ = conn.CloseNow()
}

// message is a frame on the socket.
type message struct {
	ID      string           `json:"id"`
	Type    string           `json:"type"`
	Headers []map[string]any `json:"headers"`
	Body    map[string]any   `json:"body"`
}

// serveSocket returns a script that responds to requests until the connection ends or
// the limit is over. Then it drops the connection, or closes it with the code.
func serveSocket(limit time.Duration, code websocket.StatusCode) func(*fakeServices, *websocket.Conn) {
	return (&fakeConversation{}).serveSocket(limit, code)
}

// ignoreRequests is a script that never responds.
func ignoreRequests(_ *fakeServices, conn *websocket.Conn) {
	for {
		if _, _, err := conn.Read(context.Background()); err != nil {
			return
		}
	}
}

// authenticate makes a simple request.
func authenticate(t testing.TB, c *api.Client) (string, error) {
	t.Helper()
	source := func(context.Context) (api.Credential, error) { return api.Credential{IDToken: secret.New("t")}, nil }
	return c.Authenticate(t.Context(), api.Authentication{Version: 1, Source: source})
}

func testKey() api.Key {
	return api.Key{
		AppKey:            secret.New("a"),
		Secret:            secret.New("b"),
		AccessToken:       secret.New("c"),
		AccessTokenSecret: secret.New("d"),
	}
}
