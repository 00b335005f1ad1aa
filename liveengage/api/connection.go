package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// errClosing is returned for a request on a connection that is about to be closed. The
// request was not sent.
var errClosing = errors.New("the connection is closing")

// connection is one connection of a Socket.
type connection struct {
	conn    *websocket.Conn
	lost    chan struct{} // closed when the reader has ended
	secrets secrets       // removed from every message

	mu        sync.Mutex
	next      int
	responses map[string]chan frame // by request ID, until the response arrives
	running   map[string]bool       // requests that have not returned
	frames    int                   // received so far
	idle      chan struct{}         // closed when no request is running; nil unless waitUntilIdle was called
	err       error                 // why the connection was lost
}

// frame is a message on the socket.
type frame struct {
	Kind    string           `json:"kind"`
	ID      string           `json:"id,omitempty"`
	ReqID   json.RawMessage  `json:"reqId,omitempty"` // a string or a number
	Type    string           `json:"type"`
	Code    int              `json:"code,omitempty"`
	Headers []map[string]any `json:"headers,omitempty"`
	Body    json.RawMessage  `json:"body,omitempty"`
}

func newConnection(conn *websocket.Conn, carried secrets) *connection {
	return &connection{
		conn:      conn,
		secrets:   carried,
		lost:      make(chan struct{}),
		responses: map[string]chan frame{},
		running:   map[string]bool{},
	}
}

// initConnection returns the first message of a client that cannot send headers.
func initConnection(token string) frame {
	return frame{Kind: "req", ID: "0", Type: "InitConnection", Headers: []map[string]any{
		{"type": ".ams.headers.ClientProperties", "deviceFamily": "DESKTOP", "os": "LINUX"},
		{"type": ".ams.headers.ConsumerAuthentication", "jwt": token},
	}}
}

// readFrames reads until the connection ends. It passes responses to the requests
// that wait for them, and notifications to notify.
func (c *connection) readFrames(ctx context.Context, notify func(frame)) {
	defer close(c.lost)
	for {
		_, raw, err := c.conn.Read(ctx)
		c.mu.Lock()
		if err != nil {
			c.err = &noResponseError{serviceMessaging, err, c.secrets}
			c.mu.Unlock()
			return
		}
		c.frames++
		var f frame
		valid := json.Unmarshal(raw, &f) == nil // anything else is ignored
		response := c.responses[unquoteJSON(f.ReqID)]
		delete(c.responses, unquoteJSON(f.ReqID))
		c.mu.Unlock()
		if response != nil {
			response <- f
		} else if valid && f.Kind == "notification" {
			notify(f)
		}
	}
}

// hasReceived reports whether the service has sent anything.
func (c *connection) hasReceived() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frames > 0
}

// close ends the connection, waits for the reader and returns why the connection
// ended: the service's close code if there is one, otherwise the given reason,
// otherwise the reader's error. With a reason it does not wait for the service to
// close its side.
func (c *connection) close(reason error) error {
	if reason != nil {
		_ = c.conn.CloseNow() // may be closed already
	} else {
		_ = c.conn.Close(websocket.StatusNormalClosure, "") // likewise
	}
	<-c.lost
	c.mu.Lock()
	defer c.mu.Unlock()
	if reason != nil && websocket.CloseStatus(c.err) == -1 {
		return reason
	}
	return c.err
}

// abort ends a connection on which a write has failed, so that nothing uses it again.
func (c *connection) abort(ctx context.Context) {
	_ = c.conn.CloseNow() // may be closed already
	select {
	case <-c.lost:
	case <-ctx.Done():
	}
}

// waitUntilIdle refuses new requests with errClosing and waits for the running ones.
func (c *connection) waitUntilIdle(ctx context.Context) {
	c.mu.Lock()
	idle := make(chan struct{})
	c.idle = idle
	c.signalIfIdle()
	c.mu.Unlock()
	select {
	case <-idle: // at the latest when the last request times out
	case <-c.lost:
	case <-ctx.Done():
	}
}

// signalIfIdle closes idle if no request is running. The caller holds the mutex.
func (c *connection) signalIfIdle() {
	if c.idle != nil && !isClosed(c.idle) && len(c.running) == 0 {
		close(c.idle)
	}
}

func (c *connection) writeFrame(ctx context.Context, f frame) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, raw); err != nil {
		return &noResponseError{serviceMessaging, err, c.secrets}
	}
	return nil
}

// sendRequest sends a request, waits for its response and decodes it into out, unless
// that is nil.
func (c *connection) sendRequest(ctx context.Context, kind string, body, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTimeout, errTimedOut)
	defer cancel()
	f := frame{Kind: "req", Type: kind}
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		f.Body = raw
	}
	id, response, err := c.startRequest()
	if err != nil {
		return err
	}
	defer c.endRequest(id)
	f.ID = id
	if err := c.writeFrame(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	select {
	case f := <-response:
		return c.decodeResponse(kind, f, out)
	case <-c.lost:
		return fmt.Errorf("%s: %w", kind, errConnectionLost)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", kind, context.Cause(ctx))
	}
}

// startRequest registers a request and returns its ID and where its response arrives.
func (c *connection) startRequest() (string, <-chan frame, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle != nil {
		return "", nil, errClosing
	}
	c.next++
	id, response := strconv.Itoa(c.next), make(chan frame, 1)
	c.responses[id], c.running[id] = response, true
	return id, response, nil
}

func (c *connection) endRequest(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.responses, id)
	delete(c.running, id)
	c.signalIfIdle()
}

func (c *connection) decodeResponse(kind string, f frame, out any) error {
	if f.Code != http.StatusOK {
		explanation := sanitizeText(c.secrets.redactFrom(string(f.Body)))
		return fmt.Errorf("%s: %w", kind, &Error{Service: serviceMessaging, Status: f.Code, Explanation: explanation})
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(f.Body, out); err != nil {
		return fmt.Errorf("%s: invalid JSON: %s", kind, sanitizeText(c.secrets.redactFrom(err.Error())))
	}
	return nil
}

// getClock returns the service's time.
func (c *connection) getClock(ctx context.Context) (time.Time, error) {
	var got struct {
		Milliseconds int64 `json:"currentTime"`
	}
	if err := c.sendRequest(ctx, "GetClock", nil, &got); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(got.Milliseconds).UTC(), nil
}
