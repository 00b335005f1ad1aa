package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// clockEvery is how often the socket is used although nobody writes: LivePerson
// closes one that is silent.
const clockEvery = 30 * time.Second

// closeBadToken is the code by which the messaging service closes a socket whose
// token is bad, has expired or is of another account.
const closeBadToken websocket.StatusCode = 4407

// ErrClosed is a request on a socket whose Run has ended.
var ErrClosed = errors.New("the socket is closed")

// errLost is a connection that ended while something was under way.
var errLost = errors.New("the connection was lost")

// SocketConfig is what a socket needs. Token is required.
type SocketConfig struct {
	// GetToken gets LivePerson's token of the consumer. It is asked again when the
	// service says that the one it had is bad. Its errors are taken for passing,
	// unless Final marks them or they are this package's own.
	GetToken func(ctx context.Context) (string, error)
	// TokenInMessage sends the token in a first message, as browsers must, instead of in a
	// header.
	TokenInMessage bool
	// Received is told of messages in the order of their arrival; may be nil. It must
	// not wait for an answer on the socket.
	Received func(Event)
}

// Socket is a consumer's connection to the messaging service. Run keeps it open;
// its other methods may be called at any time and wait until it is.
type Socket struct {
	client *Client
	cfg    SocketConfig

	mu       sync.Mutex
	link     *link          // nil while there is no connection
	changed  chan struct{}  // closed when link changes
	ended    error          // set when Run has returned
	dialogs  []string       // conversations that are subscribed to
	sequence map[string]int // of the next message to be told, by conversation
	next     map[string]int // number of the next line as far as known, by conversation
	sought   *line          // one that may have arrived

	turn chan struct{} // held by whoever writes a line
}

// Socket returns a socket that is not connected yet: the caller starts Run.
func (c *Client) Socket(cfg SocketConfig) *Socket {
	return &Socket{client: c, cfg: cfg, changed: make(chan struct{}), sequence: map[string]int{}, next: map[string]int{}, turn: make(chan struct{}, 1)}
}

// Run connects, keeps the connection alive and opens it again when it is lost, until
// the context ends, which is no error. It returns an error when the service refuses
// for good, or when the client's persistence is spent. It must be called once.
func (s *Socket) Run(ctx context.Context) error {
	err := s.run(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = ErrClosed
	if err != nil {
		s.ended = err
	}
	close(s.changed)
	return err
}

// run connects again and again. The first connection is one more request, with its
// three retries; one that was lost is opened again after pauses of its own. A token
// that has run out is replaced at once, but only once until a connection has lived.
func (s *Socket) run(ctx context.Context) error {
	plan := newPlan(s.client.cfg.Retry, threePauses(), true)
	var token proof
	var reconnects, replaced bool
	for attempt := 1; ; attempt++ {
		opened, lived, err := s.connect(ctx, &token)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the context has ended, which is no error here
		}
		if opened && !reconnects {
			plan, reconnects = newPlan(s.client.cfg.Retry, socketPauses(), true), true
		}
		if lived {
			plan.reset()
			attempt, replaced = 1, false
		}
		if errors.Is(err, errRenewed) {
			s.client.cfg.Log.InfoContext(ctx, "liveengage_socket_renewed", "account", s.client.cfg.Account, "service", serviceMessaging)
			attempt = 0
			continue
		}
		pause, again := plan.after(err)
		if badToken(err) {
			if token.proven && !replaced {
				pause, again, replaced = 0, true, true
			}
			token = proof{}
		}
		if e, ok := errors.AsType[*Error](err); ok && e.Status >= 500 && again {
			pause = max(pause, min(time.Duration(attempt)*5*time.Second, 15*time.Second))
		}
		s.client.fault(ctx, fault{serviceMessaging, "socket " + s.path(), attempt, pause, again, err})
		if !again {
			return err
		}
		if sleep(ctx, pause) != nil {
			return nil //nolint:nilerr // the context has ended, which is no error here
		}
	}
}

// badToken says whether the service has refused the token, and not the request.
func badToken(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok && e.Service == serviceMessaging {
		return e.Status == http.StatusUnauthorized
	}
	return websocket.CloseStatus(err) == closeBadToken
}

func (s *Socket) path() string {
	return "/ws_api/account/" + s.client.cfg.Account + "/messaging/consumer"
}

// connect opens one connection and serves it until it is lost. It has lived once it
// has answered a GetClock.
func (s *Socket) connect(ctx context.Context, token *proof) (opened, lived bool, err error) {
	if token.token == "" {
		fresh, err := s.cfg.GetToken(ctx)
		if err != nil {
			return false, false, &step{"token", "get the consumer's token", brought(err)}
		}
		*token = newProof(fresh, s.client.cfg.Now())
	}
	conn, err := s.dial(ctx, token.token)
	if err != nil {
		return false, false, err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	l := newLink(conn, secrets{}.with(token.token))
	var group sync.WaitGroup
	group.Go(func() { l.read(reading, s.received) })
	defer group.Wait()
	used := *token
	defer func() {
		if token.token == used.token {
			token.proven = token.proven || l.heard()
		}
	}()
	if s.cfg.TokenInMessage {
		if err := l.write(ctx, initConnection(token.token)); err != nil {
			return true, false, l.close(err)
		}
	}
	s.set(l)
	defer s.set(nil)
	fresh := make(chan string, 1)
	renewing, cancel := context.WithCancel(ctx)
	defer cancel()
	group.Go(func() { s.renew(renewing, used, fresh) })
	ticker := time.NewTicker(clockEvery)
	defer ticker.Stop()
	s.resubscribe(ctx, l)
	for {
		select {
		case <-ticker.C:
			if _, err := l.clock(ctx); err == nil {
				lived = true
			} else if ctx.Err() == nil && !errors.Is(err, errLost) {
				return true, lived, l.close(&unreachable{serviceMessaging, err, l.carried})
			}
		case next := <-fresh:
			*token = newProof(next, s.client.cfg.Now())
			s.set(nil) // who comes now waits for the next connection
			l.drain(ctx)
			_ = l.close(nil) // it was wanted
			return true, lived, errRenewed
		case <-l.lost:
			return true, lived, l.close(nil)
		case <-ctx.Done():
			return true, lived, l.close(nil)
		}
	}
}

// dial makes the handshake.
func (s *Socket) dial(outer context.Context, token string) (*websocket.Conn, error) {
	base, err := s.client.base(outer, serviceMessaging)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(outer, attemptTimeout)
	defer cancel()
	header := http.Header{}
	if !s.cfg.TokenInMessage {
		header.Set("Authorization", "jwt "+token)
	}
	conn, res, err := websocket.Dial(ctx, strings.Replace(base, "http", "ws", 1)+s.path()+"?v=3", //nolint:bodyclose // the library closes it
		&websocket.DialOptions{HTTPClient: s.client.http, HTTPHeader: header})
	if err == nil {
		conn.SetReadLimit(mostBody)
		return conn, nil
	}
	if res != nil && res.StatusCode != http.StatusSwitchingProtocols && res.StatusCode >= 300 {
		return nil, s.client.refusal(serviceMessaging, res.StatusCode, res.Header, nil, secrets{}.with(token))
	}
	err = noAnswer(outer, serviceMessaging, err, secrets{}.with(token))
	if _, ok := errors.AsType[*unreachable](err); ok {
		s.client.forget(serviceMessaging)
	}
	return nil, err
}

// set says which connection there is now.
func (s *Socket) set(l *link) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = l
	close(s.changed)
	s.changed = make(chan struct{})
}

// connected waits for a connection that is not lost.
func (s *Socket) connected(ctx context.Context) (*link, error) {
	for {
		s.mu.Lock()
		l, changed, ended := s.link, s.changed, s.ended
		s.mu.Unlock()
		switch {
		case ended != nil:
			return nil, ended
		case l != nil && !isClosed(l.lost):
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the socket: %w", context.Cause(ctx))
		}
	}
}
