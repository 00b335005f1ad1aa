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

// errClosing is a request on a connection that is about to be closed.
var errClosing = errors.New("the connection is about to be closed")

// connection is one connection of a socket.
type connection struct {
	conn    *websocket.Conn
	lost    chan struct{} // closed when nothing more will be read
	secrets secrets       // never repeated in a message

	mu        sync.Mutex
	next      int
	responses map[string]chan frame
	running   map[string]bool // requests that have not returned
	frames    int             // received
	idle      chan struct{}   // closed when nothing is waited for; nil unless draining
	err       error           // why it was lost
}

// frame is a message on the socket.
type frame struct {
	Kind    string           `json:"kind"`
	ID      string           `json:"id,omitempty"`
	ReqID   json.RawMessage  `json:"reqId,omitempty"` // text, or a number
	Type    string           `json:"type"`
	Code    int              `json:"code,omitempty"`
	Headers []map[string]any `json:"headers,omitempty"`
	Body    json.RawMessage  `json:"body,omitempty"`
}

func newConnection(conn *websocket.Conn, carried secrets) *connection {
	return &connection{conn: conn, secrets: carried, lost: make(chan struct{}), responses: map[string]chan frame{}, running: map[string]bool{}}
}

// initConnection is the first message of a client that can send no header.
func initConnection(token string) frame {
	return frame{Kind: "req", ID: "0", Type: "InitConnection", Headers: []map[string]any{
		{"type": ".ams.headers.ClientProperties", "deviceFamily": "DESKTOP", "os": "LINUX"},
		{"type": ".ams.headers.ConsumerAuthentication", "jwt": token},
	}}
}

// readFrames reads until the connection ends, and tells notifications on.
func (l *connection) readFrames(ctx context.Context, notify func(frame)) {
	defer close(l.lost)
	for {
		_, text, err := l.conn.Read(ctx)
		l.mu.Lock()
		if err != nil {
			l.err = &noResponseError{serviceMessaging, err, l.secrets}
			l.mu.Unlock()
			return
		}
		l.frames++
		var f frame
		known := json.Unmarshal(text, &f) == nil // what is no JSON is left alone
		answered := l.responses[unquoteJSON(f.ReqID)]
		delete(l.responses, unquoteJSON(f.ReqID))
		l.mu.Unlock()
		switch {
		case answered != nil:
			answered <- f
		case known && f.Kind == "notification":
			notify(f)
		}
	}
}

// hasReceived says whether the service has sent anything.
func (l *connection) hasReceived() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames > 0
}

// close ends the connection, waits until nothing more is read and returns why it
// ended: by the service's own close code if there was one, else the reason given,
// else what the reader met. Where there is a reason, the service is not waited for.
func (l *connection) close(why error) error {
	if why != nil {
		_ = l.conn.CloseNow() // it may be gone already
	} else {
		_ = l.conn.Close(websocket.StatusNormalClosure, "") // as above
	}
	<-l.lost
	l.mu.Lock()
	defer l.mu.Unlock()
	if why != nil && websocket.CloseStatus(l.err) == -1 {
		return why
	}
	return l.err
}

// abort ends a connection on which writing has failed, so that nobody takes it for one.
func (l *connection) abort(ctx context.Context) {
	_ = l.conn.CloseNow() // it may be gone already
	select {
	case <-l.lost:
	case <-ctx.Done():
	}
}

// waitUntilIdle lets requests come to their end before the connection is closed, and begins
// no more.
func (l *connection) waitUntilIdle(ctx context.Context) {
	l.mu.Lock()
	idle := make(chan struct{})
	l.idle = idle
	l.signalIfIdle()
	l.mu.Unlock()
	select {
	case <-idle: // not later than the last request's time-out
	case <-l.lost:
	case <-ctx.Done():
	}
}

// signalIfIdle tells drain when nothing is waited for. The mutex is held.
func (l *connection) signalIfIdle() {
	if l.idle != nil && !isClosed(l.idle) && len(l.running) == 0 {
		close(l.idle)
	}
}

func (l *connection) writeFrame(ctx context.Context, f frame) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := l.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return &noResponseError{serviceMessaging, err, l.secrets}
	}
	return nil
}

// sendRequest sends a request and waits for its answer.
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
	answered := make(chan frame, 1)
	l.mu.Lock()
	if l.idle != nil {
		l.mu.Unlock()
		return errClosing
	}
	l.next++
	f.ID = strconv.Itoa(l.next)
	l.responses[f.ID], l.running[f.ID] = answered, true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.responses, f.ID)
		delete(l.running, f.ID)
		l.signalIfIdle()
		l.mu.Unlock()
	}()
	if err := l.writeFrame(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	select {
	case a := <-answered:
		return l.decodeResponse(kind, a, out)
	case <-l.lost:
		return fmt.Errorf("%s: %w", kind, errConnectionLost)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", kind, context.Cause(ctx))
	}
}

// decodeResponse reads the answer to a request.
func (l *connection) decodeResponse(kind string, a frame, out any) error {
	if a.Code != http.StatusOK {
		return fmt.Errorf("%s: %w", kind, &Error{Service: serviceMessaging, Status: a.Code, Explanation: sanitizeText(l.secrets.redactFrom(string(a.Body)))})
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return fmt.Errorf("%s: the answer is not the JSON that was due: %w", kind, errors.New(sanitizeText(l.secrets.redactFrom(err.Error()))))
	}
	return nil
}

// getClock asks for the service's time.
func (l *connection) getClock(ctx context.Context) (time.Time, error) {
	var got struct {
		Milliseconds int64 `json:"currentTime"`
	}
	if err := l.sendRequest(ctx, "GetClock", nil, &got); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(got.Milliseconds).UTC(), nil
}
