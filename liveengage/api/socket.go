package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"idpbridge/liveengage"
)

// clockInterval is how often GetClock is sent. LivePerson closes a silent socket.
const clockInterval = 30 * time.Second

// ErrClosed is returned for a request on a socket whose Run has ended.
var ErrClosed = errors.New("the socket is closed")

// errConnectionLost is returned if the connection ends during a request.
var errConnectionLost = errors.New("the connection was lost")

// SocketConfig configures a Socket. GetToken is required.
type SocketConfig struct {
	// GetToken returns LivePerson's token of the consumer. It is called again when the
	// service rejects the token. Its errors count as temporary, unless they are marked
	// with Permanent or are this package's own.
	GetToken func(ctx context.Context) (string, error)
	// TokenInMessage sends the token in a first message, as browsers must, instead of in
	// a header.
	TokenInMessage bool
}

// Socket is a consumer's connection to the messaging service. Run keeps it open. The
// other methods may be called at any time and wait until it is.
type Socket struct {
	client *Client
	cfg    SocketConfig

	mu           sync.Mutex
	connection   *connection     // nil while there is none
	changed      chan struct{}   // closed when connection changes
	ended        error           // set when Run has returned
	nextSequence map[string]int  // the lowest sequence that may be free, by conversation
	awaited      *pendingMessage // the message that Publish is looking for

	publishing chan struct{} // held while a message is sent
}

// Socket returns a socket that is not connected yet. The caller starts Run.
func (c *Client) Socket(cfg SocketConfig) *Socket {
	return &Socket{
		client:       c,
		cfg:          cfg,
		changed:      make(chan struct{}),
		nextSequence: map[string]int{},
		publishing:   make(chan struct{}, 1),
	}
}

// Run connects, keeps the connection alive and reconnects when it is lost. It returns
// nil when the context ends, and an error when the service rejects the connection or
// Config.Retry is exhausted. It must be called only once.
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

// keepConnected connects until the context ends. The first connection gets the three
// retries of any request; later ones have their own pauses. An expired token is
// replaced at once, but only once until a connection has lived.
func (s *Socket) keepConnected(ctx context.Context) error {
	plan := newRetryPlan(s.client.cfg.Retry, threePauses(), true)
	var token consumerToken
	var reconnecting, replaced bool
	for attempt := 1; ; attempt++ {
		opened, lived, err := s.serveConnection(ctx, &token)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // the end of the context is not an error here
		}
		if opened && !reconnecting {
			plan, reconnecting = newRetryPlan(s.client.cfg.Retry, socketPauses(), true), true
		}
		if lived {
			plan.reset()
			attempt, replaced = 1, false
		}
		if errors.Is(err, errTokenRenewed) {
			s.client.cfg.Log.InfoContext(ctx, "liveengage_socket_renewed",
				"account", s.client.cfg.Account, "service", serviceMessaging)
			attempt = 0
			continue
		}
		pause, retries := plan.nextPause(err)
		if isBadToken(err) {
			if token.proven && !replaced {
				pause, retries, replaced = 0, true, true
			}
			token = consumerToken{}
		}
		if e, ok := errors.AsType[*Error](err); ok && e.Status >= 500 && retries {
			pause = max(pause, min(time.Duration(attempt)*5*time.Second, 15*time.Second))
		}
		request := "socket " + s.socketPath()
		s.client.logFailure(ctx, failedAttempt{serviceMessaging, request, attempt, pause, retries, err})
		if !retries {
			return err
		}
		if sleepContext(ctx, pause) != nil {
			return nil //nolint:nilerr // the end of the context is not an error here
		}
	}
}

// isBadToken reports whether the service rejected the token, not just the request.
func isBadToken(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok && e.Service == serviceMessaging {
		return e.Status == http.StatusUnauthorized
	}
	status := websocket.CloseStatus(err)
	return status == liveengage.CloseTokenInvalid || status == liveengage.CloseTokenRevoked
}

func (s *Socket) socketPath() string {
	return "/ws_api/account/" + s.client.cfg.Account + "/messaging/consumer"
}

// serveConnection opens one connection and serves it until it is lost. It reports
// whether the connection was opened, and whether it lived: it answered a GetClock.
func (s *Socket) serveConnection(ctx context.Context, token *consumerToken) (opened, lived bool, err error) {
	if token.value == "" {
		value, err := s.cfg.GetToken(ctx)
		if err != nil {
			return false, false, &stepError{"token", "get the consumer's token", classifyCallerError(err)}
		}
		*token = newConsumerToken(value, s.client.cfg.Now())
	}
	conn, err := s.dialSocket(ctx, token.value)
	if err != nil {
		return false, false, err
	}
	reading, stopReading := context.WithCancel(context.WithoutCancel(ctx))
	defer stopReading()
	c := newConnection(conn, secrets{}.add(token.value))
	var group sync.WaitGroup
	group.Go(func() { c.readFrames(reading, s.handleNotification) })
	defer group.Wait()
	used := *token
	defer func() {
		if token.value == used.value {
			token.proven = token.proven || c.hasReceived()
		}
	}()
	if s.cfg.TokenInMessage {
		if err := c.writeFrame(ctx, initConnection(token.value)); err != nil {
			return true, false, c.close(err)
		}
	}
	s.setConnection(c)
	defer s.setConnection(nil)
	renewed := make(chan string, 1)
	renewing, stopRenewing := context.WithCancel(ctx)
	defer stopRenewing()
	group.Go(func() { s.renewToken(renewing, used, renewed) })
	ticker := time.NewTicker(clockInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if _, err := c.getClock(ctx); err == nil {
				lived = true
			} else if ctx.Err() == nil && !errors.Is(err, errConnectionLost) {
				return true, lived, c.close(&noResponseError{serviceMessaging, err, c.secrets})
			}
		case value := <-renewed:
			*token = newConsumerToken(value, s.client.cfg.Now())
			s.setConnection(nil) // new requests wait for the next connection
			c.waitUntilIdle(ctx)
			_ = c.close(nil) // intended
			return true, lived, errTokenRenewed
		case <-c.lost:
			return true, lived, c.close(nil)
		case <-ctx.Done():
			return true, lived, c.close(nil)
		}
	}
}

// dialSocket connects to the messaging service.
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
	address := strings.Replace(base, "http", "ws", 1) + s.socketPath() + "?v=3"
	options := &websocket.DialOptions{HTTPClient: s.client.socket, HTTPHeader: header}
	conn, res, err := websocket.Dial(ctx, address, options) //nolint:bodyclose // the library closes it
	if err == nil {
		conn.SetReadLimit(maxBody)
		return conn, nil
	}
	carried := secrets{}.add(token)
	if res != nil && res.StatusCode != http.StatusSwitchingProtocols && res.StatusCode >= 300 {
		return nil, s.client.parseHandshake(res, carried)
	}
	err = wrapTransportError(outer, serviceMessaging, err, carried)
	if _, ok := errors.AsType[*noResponseError](err); ok {
		s.client.forgetService(serviceMessaging)
	}
	return nil, err
}

// parseHandshake reads the response to a handshake that did not open a socket. The
// library has read the beginning of its body.
func (c *Client) parseHandshake(res *http.Response, carried secrets) *Error {
	var body []byte
	if res.Body != nil {
		body, _ = io.ReadAll(io.LimitReader(res.Body, maxBody)) // what can be read
	}
	e := c.parseErrorResponse(serviceMessaging, res.StatusCode, res.Header, body, carried)
	if e.Status == http.StatusServiceUnavailable {
		e.Explanation = strings.TrimPrefix(e.Explanation+"; Messaging may be off for this account", "; ")
	}
	return e
}

// setConnection sets the current connection; nil means that there is none.
func (s *Socket) setConnection(c *connection) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.connection = c
	close(s.changed)
	s.changed = make(chan struct{})
}

// waitForConnection returns a connection that is not lost.
func (s *Socket) waitForConnection(ctx context.Context) (*connection, error) {
	for {
		s.mu.Lock()
		c, changed, ended := s.connection, s.changed, s.ended
		s.mu.Unlock()
		if ended != nil {
			return nil, ended
		}
		if c != nil && !isClosed(c.lost) {
			return c, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for the socket: %w", context.Cause(ctx))
		}
	}
}
