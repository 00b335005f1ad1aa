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
func (l *connection) readFrames(ctx context.Context, notify func(frame)) {
	defer close(l.lost)
	for {
		_, raw, err := l.conn.Read(ctx)
		l.mu.Lock()
		if err != nil {
			l.err = &noResponseError{serviceMessaging, err, l.secrets}
			l.mu.Unlock()
			return
		}
		l.frames++
		var f frame
		valid := json.Unmarshal(raw, &f) == nil // anything else is ignored
		response := l.responses[unquoteJSON(f.ReqID)]
		delete(l.responses, unquoteJSON(f.ReqID))
		l.mu.Unlock()
		if response != nil {
			response <- f
		} else if valid && f.Kind == "notification" {
			notify(f)
		}
	}
}

// hasReceived reports whether the service has sent anything.
func (l *connection) hasReceived() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames > 0
}

// close ends the connection, waits for the reader and returns why the connection
// ended: the service's close code if there is one, otherwise the given reason,
// otherwise the reader's error. With a reason it does not wait for the service to
// close its side.
func (l *connection) close(reason error) error {
	if reason != nil {
		_ = l.conn.CloseNow() // may be closed already
	} else {
		_ = l.conn.Close(websocket.StatusNormalClosure, "") // likewise
	}
	<-l.lost
	l.mu.Lock()
	defer l.mu.Unlock()
	if reason != nil && websocket.CloseStatus(l.err) == -1 {
		return reason
	}
	return l.err
}

// abort ends a connection on which a write has failed, so that nothing uses it again.
func (l *connection) abort(ctx context.Context) {
	_ = l.conn.CloseNow() // may be closed already
	select {
	case <-l.lost:
	case <-ctx.Done():
	}
}

// waitUntilIdle refuses new requests with errClosing and waits for the running ones.
func (l *connection) waitUntilIdle(ctx context.Context) {
	l.mu.Lock()
	idle := make(chan struct{})
	l.idle = idle
	l.signalIfIdle()
	l.mu.Unlock()
	select {
	case <-idle: // at the latest when the last request times out
	case <-l.lost:
	case <-ctx.Done():
	}
}

// signalIfIdle closes idle if no request is running. The caller holds the mutex.
func (l *connection) signalIfIdle() {
	if l.idle != nil && !isClosed(l.idle) && len(l.running) == 0 {
		close(l.idle)
	}
}

func (l *connection) writeFrame(ctx context.Context, f frame) error {
	raw, err := json.Marshal(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := l.conn.Write(ctx, websocket.MessageText, raw); err != nil {
		return &noResponseError{serviceMessaging, err, l.secrets}
	}
	return nil
}

// sendRequest sends a request, waits for its response and decodes it into out, unless
// that is nil.
func (l *connection) sendRequest(ctx context.Context, kind string, body, out any) error {
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
	id, response, err := l.startRequest()
	if err != nil {
		return err
	}
	defer l.endRequest(id)
	f.ID = id
	if err := l.writeFrame(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	select {
	case f := <-response:
		return l.decodeResponse(kind, f, out)
	case <-l.lost:
		return fmt.Errorf("%s: %w", kind, errConnectionLost)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", kind, context.Cause(ctx))
	}
}

// startRequest registers a request and returns its ID and where its response arrives.
func (l *connection) startRequest() (string, <-chan frame, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.idle != nil {
		return "", nil, errClosing
	}
	l.next++
	id, response := strconv.Itoa(l.next), make(chan frame, 1)
	l.responses[id], l.running[id] = response, true
	return id, response, nil
}

func (l *connection) endRequest(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.responses, id)
	delete(l.running, id)
	l.signalIfIdle()
}

func (l *connection) decodeResponse(kind string, f frame, out any) error {
	if f.Code != http.StatusOK {
		explanation := sanitizeText(l.secrets.redactFrom(string(f.Body)))
		return fmt.Errorf("%s: %w", kind, &Error{Service: serviceMessaging, Status: f.Code, Explanation: explanation})
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(f.Body, out); err != nil {
		return fmt.Errorf("%s: invalid JSON: %s", kind, sanitizeText(l.secrets.redactFrom(err.Error())))
	}
	return nil
}

// getClock returns the service's time.
func (l *connection) getClock(ctx context.Context) (time.Time, error) {
	var got struct {
		Milliseconds int64 `json:"currentTime"`
	}
	if err := l.sendRequest(ctx, "GetClock", nil, &got); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(got.Milliseconds).UTC(), nil
}
