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

// errNotSent is a request on a connection that is about to be closed.
var errNotSent = errors.New("the connection is about to be closed")

// link is one connection of a socket.
type link struct {
	conn    *websocket.Conn
	lost    chan struct{} // closed when nothing more will be read
	carried secrets       // never repeated in a message

	mu      sync.Mutex
	next    int
	waiting map[string]chan frame
	pending map[string]bool // requests that have not returned
	frames  int             // received
	idle    chan struct{}   // closed when nothing is waited for; nil unless draining
	err     error           // why it was lost
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

func newLink(conn *websocket.Conn, carried secrets) *link {
	return &link{conn: conn, carried: carried, lost: make(chan struct{}), waiting: map[string]chan frame{}, pending: map[string]bool{}}
}

// initConnection is the first message of a client that can send no header.
func initConnection(token string) frame {
	return frame{Kind: "req", ID: "0", Type: "InitConnection", Headers: []map[string]any{
		{"type": ".ams.headers.ClientProperties", "deviceFamily": "DESKTOP", "os": "LINUX"},
		{"type": ".ams.headers.ConsumerAuthentication", "jwt": token},
	}}
}

// read reads until the connection ends, and tells notifications on.
func (l *link) read(ctx context.Context, notify func(frame)) {
	defer close(l.lost)
	for {
		_, text, err := l.conn.Read(ctx)
		l.mu.Lock()
		if err != nil {
			l.err = &unreachable{serviceMessaging, err, l.carried}
			l.mu.Unlock()
			return
		}
		l.frames++
		var f frame
		known := json.Unmarshal(text, &f) == nil // what is no JSON is left alone
		answered := l.waiting[unquoted(f.ReqID)]
		delete(l.waiting, unquoted(f.ReqID))
		l.mu.Unlock()
		switch {
		case answered != nil:
			answered <- f
		case known && f.Kind == "notification":
			notify(f)
		}
	}
}

// heard says whether the service has sent anything.
func (l *link) heard() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.frames > 0
}

// close ends the connection, waits until nothing more is read and returns why it
// ended: by the service's own close code if there was one, else the reason given,
// else what the reader met. Where there is a reason, the service is not waited for.
func (l *link) close(why error) error {
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

// drop ends a connection on which writing has failed, so that nobody takes it for one.
func (l *link) drop(ctx context.Context) {
	_ = l.conn.CloseNow() // it may be gone already
	select {
	case <-l.lost:
	case <-ctx.Done():
	}
}

// drain lets requests come to their end before the connection is closed, and begins
// no more.
func (l *link) drain(ctx context.Context) {
	l.mu.Lock()
	idle := make(chan struct{})
	l.idle = idle
	l.emptied()
	l.mu.Unlock()
	select {
	case <-idle: // not later than the last request's time-out
	case <-l.lost:
	case <-ctx.Done():
	}
}

// emptied tells drain when nothing is waited for. The mutex is held.
func (l *link) emptied() {
	if l.idle != nil && !isClosed(l.idle) && len(l.pending) == 0 {
		close(l.idle)
	}
}

func (l *link) write(ctx context.Context, f frame) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	if err := l.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return &unreachable{serviceMessaging, err, l.carried}
	}
	return nil
}

// request sends a request and waits for its answer.
func (l *link) request(ctx context.Context, kind string, body, out any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, attemptTimeout, errSilent)
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
		return errNotSent
	}
	l.next++
	f.ID = strconv.Itoa(l.next)
	l.waiting[f.ID], l.pending[f.ID] = answered, true
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		delete(l.waiting, f.ID)
		delete(l.pending, f.ID)
		l.emptied()
		l.mu.Unlock()
	}()
	if err := l.write(ctx, f); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	select {
	case a := <-answered:
		return l.answer(kind, a, out)
	case <-l.lost:
		return fmt.Errorf("%s: %w", kind, errLost)
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", kind, context.Cause(ctx))
	}
}

// answer reads the answer to a request.
func (l *link) answer(kind string, a frame, out any) error {
	if a.Code != http.StatusOK {
		return fmt.Errorf("%s: %w", kind, &Error{Service: serviceMessaging, Status: a.Code, Explanation: redacted(l.carried.strike(string(a.Body)))})
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(a.Body, out); err != nil {
		return fmt.Errorf("%s: the answer is not the JSON that was due: %w", kind, errors.New(redacted(l.carried.strike(err.Error()))))
	}
	return nil
}

// clock asks for the service's time.
func (l *link) clock(ctx context.Context) (time.Time, error) {
	var got struct {
		Milliseconds int64 `json:"currentTime"`
	}
	if err := l.request(ctx, "GetClock", nil, &got); err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(got.Milliseconds).UTC(), nil
}
