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

// clockInterval is how often the socket is used although nobody writes: LivePerson
// closes one that is silent.
const clockInterval = 30 * time.Second

// statusBadToken is the code by which the messaging service closes a socket whose
// token is bad, has expired or is of another account.
const statusBadToken websocket.StatusCode = 4407

// ErrClosed is a request on a socket whose Run has ended.
var ErrClosed = errors.New("the socket is closed")

// errConnectionLost is a connection that ended while something was under way.
var errConnectionLost = errors.New("the connection was lost")

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

	mu           sync.Mutex
	connection   *connection     // nil while there is no connection
	changed      chan struct{}   // closed when link changes
	ended        error           // set when Run has returned
	dialogs      []string        // conversations that are subscribed to
	sequence     map[string]int  // of the next message to be told, by conversation
	nextSequence map[string]int  // number of the next line as far as known, by conversation
	awaited      *pendingMessage // one that may have arrived

	publishing chan struct{} // held by whoever writes a line
}

// Socket returns a socket that is not connected yet: the caller starts Run.
func (c *Client) Socket(cfg SocketConfig) *Socket {
	return &Socket{client: c, cfg: cfg, changed: make(chan struct{}), sequence: map[string]int{}, nextSequence: map[string]int{}, publishing: make(chan struct{}, 1)}
}

// Run connects, keeps the connection alive and opens it again when it is lost, until
// the context ends, which is no error. It returns an error when the service refuses
// for good, or when the client's persistence is spent. It must be called once.
func (s *Socket) Run(ctx context.Context) error {
	err := s.keepConnected(ctx)
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

// keepConnected connects again and again. The first connection is one more request, with its
// three retries; one that was lost is opened again after pauses of its own. A token
// that has run out is replaced at once, but only once until a connection has lived.
func (s *Socket) keepConnected(ctx context.Context) error {
	plan := newRetryPlan(s.client.cfg.Retry, threePauses(), true)
	var token consumerToken
	var reconnects, replaced bool
	for attempt := 1; ; attempt++ {
		opened, lived, err := s.serveConnection(ctx, &token)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the context has ended, which is no error here
		}
		if opened && !reconnects {
			plan, reconnects = newRetryPlan(s.client.cfg.Retry, socketPauses(), true), true
		}
		if lived {
			plan.reset()
			attempt, replaced = 1, false
		}
		if errors.Is(err, errTokenRenewed) {
			s.client.cfg.Log.InfoContext(ctx, "liveengage_socket_renewed", "account", s.client.cfg.Account, "service", serviceMessaging)
			attempt = 0
			continue
		}
		pause, again := plan.nextPause(err)
		if isBadToken(err) {
			if token.proven && !replaced {
				pause, again, replaced = 0, true, true
			}
			token = consumerToken{}
		}
		if e, ok := errors.AsType[*Error](err); ok && e.Status >= 500 && again {
			pause = max(pause, min(time.Duration(attempt)*5*time.Second, 15*time.Second))
		}
		s.client.logFailure(ctx, failedAttempt{serviceMessaging, "socket " + s.socketPath(), attempt, pause, again, err})
		if !again {
			return err
		}
		if sleepContext(ctx, pause) != nil {
			return nil //nolint:nilerr // the context has ended, which is no error here
		}
	}
}

// isBadToken says whether the service has refused the token, and not the request.
func isBadToken(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok && e.Service == serviceMessaging {
		return e.Status == http.StatusUnauthorized
	}
	return websocket.CloseStatus(err) == statusBadToken
}

func (s *Socket) socketPath() string {
	return "/ws_api/account/" + s.client.cfg.Account + "/messaging/consumer"
}

// serveConnection opens one connection and serves it until it is lost. It has lived once it
// has answered a GetClock.
func (s *Socket) serveConnection(ctx context.Context, token *consumerToken) (opened, lived bool, err error) {
	if token.value == "" {
		fresh, err := s.cfg.GetToken(ctx)
		if err != nil {
			return false, false, &stepError{"token", "get the consumer's token", classifyCallerError(err)}
		}
		*token = newConsumerToken(fresh, s.client.cfg.Now())
	}
	conn, err := s.dialSocket(ctx, token.value)
	if err != nil {
		return false, false, err
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	l := newConnection(conn, secrets{}.add(token.value))
	var group sync.WaitGroup
	group.Go(func() { l.readFrames(reading, s.handleNotification) })
	defer group.Wait()
	used := *token
	defer func() {
		if token.value == used.value {
			token.proven = token.proven || l.hasReceived()
		}
	}()
	if s.cfg.TokenInMessage {
		if err := l.writeFrame(ctx, initConnection(token.value)); err != nil {
			return true, false, l.close(err)
		}
	}
	s.setConnection(l)
	defer s.setConnection(nil)
	fresh := make(chan string, 1)
	renewing, cancel := context.WithCancel(ctx)
	defer cancel()
	group.Go(func() { s.renewToken(renewing, used, fresh) })
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	s.resubscribe(ctx, l)
	for {
		select {
		case <-ticker.C:
			if _, err := l.getClock(ctx); err == nil {
				lived = true
			} else if ctx.Err() == nil && !errors.Is(err, errConnectionLost) {
				return true, lived, l.close(&noResponseError{serviceMessaging, err, l.secrets})
			}
		case next := <-fresh:
			*token = newConsumerToken(next, s.client.cfg.Now())
			s.setConnection(nil) // who comes now waits for the next connection
			l.waitUntilIdle(ctx)
			_ = l.close(nil) // it was wanted
			return true, lived, errTokenRenewed
		case <-l.lost:
			return true, lived, l.close(nil)
		case <-ctx.Done():
			return true, lived, l.close(nil)
		}
	}
}

// dialSocket makes the handshake.
func (s *Socket) dialSocket(outer context.Context, token string) (*websocket.Conn, error) {
	base, err := s.client.findServiceURL(outer, serviceMessaging)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(outer, attemptTimeout)
	defer cancel()
	header := http.Header{}
	if !s.cfg.TokenInMessage {
		header.Set("Authorization", "jwt "+token)
	}
	conn, res, err := websocket.Dial(ctx, strings.Replace(base, "http", "ws", 1)+s.socketPath()+"?v=3", //nolint:bodyclose // the library closes it
		&websocket.DialOptions{HTTPClient: s.client.http, HTTPHeader: header})
	if err == nil {
		conn.SetReadLimit(maxBody)
		return conn, nil
	}
	if res != nil && res.StatusCode != http.StatusSwitchingProtocols && res.StatusCode >= 300 {
		return nil, s.client.parseErrorResponse(serviceMessaging, res.StatusCode, res.Header, nil, secrets{}.add(token))
	}
	err = wrapTransportError(outer, serviceMessaging, err, secrets{}.add(token))
	if _, ok := errors.AsType[*noResponseError](err); ok {
		s.client.forgetService(serviceMessaging)
	}
	return nil, err
}

// setConnection says which connection there is now.
func (s *Socket) setConnection(l *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connection = l
	close(s.changed)
	s.changed = make(chan struct{})
}

// waitForConnection waits for a connection that is not lost.
func (s *Socket) waitForConnection(ctx context.Context) (*connection, error) {
	for {
		s.mu.Lock()
		l, changed, ended := s.connection, s.changed, s.ended
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
