package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"golang.org/x/sync/errgroup"

	"idpbridge/liveengage"
)

func (s *Simulator) registerSocket(mux *http.ServeMux) {
	mux.HandleFunc("GET /ws_api/account/{account}/messaging/consumer", s.serveMessaging)
}

// socket is a connection of a consumer. Messages do not queue in it. It knows what it
// has sent of each conversation, and continues from there as fast as its client reads.
type socket struct {
	*Simulator

	conn          *websocket.Conn
	claims        ownClaims
	responses     chan []byte
	wakeUp        chan struct{}  // there may be messages to send
	nextSequences map[string]int // by conversation; guarded by the Simulator's mutex
}

// serveMessaging serves the consumer's messaging socket. The token is in the
// Authorization header or, for browsers, in the first message.
func (s *Simulator) serveMessaging(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") != "3" {
		writeError(w, http.StatusBadRequest, "Bad Request: v=3 is required.")
		return
	}
	if !s.acquireSocket() {
		writeError(w, http.StatusServiceUnavailable,
			fmt.Sprintf("The simulator has %d open sockets, which is the limit. Close one first.", maxSockets))
		return
	}
	defer s.releaseSocket()
	// Any origin is fine: the token authenticates, not a cookie.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has written a response
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxRequest)
	k := &socket{
		Simulator:     s,
		conn:          conn,
		responses:     make(chan []byte, 8),
		wakeUp:        make(chan struct{}, 1),
		nextSequences: map[string]int{},
	}
	if !k.authenticate(r) {
		return
	}
	if !k.register() {
		_ = conn.Close(websocket.StatusTryAgainLater, fmt.Sprintf("a consumer can have %d sockets", maxOwnSockets))
		return
	}
	defer k.unregister()
	// The token also expires if neither side sends anything.
	expiry := time.AfterFunc(time.Unix(k.claims.Expires, 0).Sub(s.Now()), k.closeExpired)
	defer expiry.Stop()
	group, ctx := errgroup.WithContext(r.Context())
	group.Go(func() error { return k.writeFrames(ctx, r) })
	group.Go(func() error { return k.readFrames(ctx, r) })
	_ = group.Wait() // the connection has ended
}

// authenticate reads and verifies the token. If it is not valid, it closes the
// connection and reports false.
func (k *socket) authenticate(r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "jwt") {
		var response []byte
		var err error
		if token, response, err = k.readInitConnection(r.Context()); err != nil {
			_ = k.conn.Close(liveengage.CloseTokenInvalid, "expected InitConnection with a JWT")
			return false
		}
		k.responses <- response
	}
	var err error
	if k.claims, err = k.keyring.readToken(token); err != nil || !k.isCurrent(k.claims, r) {
		_ = k.conn.Close(liveengage.CloseTokenInvalid, "the JWT is invalid, expired or for another account")
		return false
	}
	return true
}

// closeExpired closes a socket whose token is no longer valid.
func (k *socket) closeExpired() {
	_ = k.conn.Close(liveengage.CloseTokenInvalid, "the JWT has expired")
}

// isCurrent reports whether a token is for this account and has not expired.
func (s *Simulator) isCurrent(c ownClaims, r *http.Request) bool {
	return s.matchesAccount(r) && c.Issuer == liveengage.Issuer && c.Audience == "acc:"+s.Account &&
		s.Now().Unix() < c.Expires
}

// readInitConnection reads the first message of a browser. It returns the token and the
// response to the message.
func (k *socket) readInitConnection(ctx context.Context) (token string, response []byte, err error) {
	// A context with a deadline would drop the connection without a close code.
	timer := time.AfterFunc(k.SocketTimeout, func() {
		_ = k.conn.Close(liveengage.CloseTokenInvalid, "expected InitConnection")
	})
	defer timer.Stop()
	_, raw, err := k.conn.Read(ctx)
	if err != nil {
		return "", nil, err
	}
	var f frame
	if json.Unmarshal(raw, &f) != nil || f.Type != "InitConnection" {
		return "", nil, errors.New("not InitConnection")
	}
	for _, h := range f.Headers {
		if h.Type == ".ams.headers.ConsumerAuthentication" {
			return h.JWT, encodeResponse(f, "InitConnectionResponse", http.StatusOK, map[string]any{}), nil
		}
	}
	return "", nil, errors.New("no token")
}

// errTokenExpired ends a socket.
var errTokenExpired = errors.New("the token has expired")

// writeFrames writes responses and notifications until the connection or the token ends.
func (k *socket) writeFrames(ctx context.Context, r *http.Request) error {
	for {
		var raw []byte
		select {
		case <-ctx.Done():
			return ctx.Err()
		case raw = <-k.responses:
		case <-k.wakeUp:
			if !k.isCurrent(k.claims, r) {
				k.closeExpired()
				return errTokenExpired
			}
			if raw = k.nextNotification(); raw == nil {
				continue
			}
			k.wakeWriter() // there may be more
		}
		if err := k.writeFrame(ctx, raw); err != nil {
			return err
		}
	}
}

func (k *socket) writeFrame(ctx context.Context, raw []byte) error {
	ctx, cancel := context.WithTimeout(ctx, k.SocketTimeout)
	defer cancel()
	return k.conn.Write(ctx, websocket.MessageText, raw)
}

// readFrames handles requests until the connection or the token ends.
func (k *socket) readFrames(ctx context.Context, r *http.Request) error {
	for {
		_, raw, err := k.conn.Read(ctx)
		if err != nil {
			return err
		}
		if !k.isCurrent(k.claims, r) {
			k.closeExpired()
			return errTokenExpired
		}
		var f frame
		if err := json.Unmarshal(raw, &f); err != nil || f.Kind != "req" {
			_ = k.conn.Close(websocket.StatusUnsupportedData, `expected JSON with "kind":"req"`)
			return errors.New("not a request")
		}
		select {
		case k.responses <- k.handleFrame(f):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// handleFrame handles a request and returns the response.
func (k *socket) handleFrame(f frame) []byte {
	var body requestBody
	if f.Body != nil && json.Unmarshal(f.Body, &body) != nil {
		return encodeResponse(f, "GeneralResponse", http.StatusBadRequest, "invalid body for "+truncateText(f.Type))
	}
	id := body.conversationID()
	switch f.Type {
	case "GetClock":
		now := map[string]int64{"currentTime": k.Now().UnixMilli()}
		return encodeResponse(f, "GetClockResponse", http.StatusOK, now)
	case "InitConnection":
		return encodeResponse(f, "InitConnectionResponse", http.StatusOK, map[string]any{})
	case "cm.ConsumerRequestConversation":
		id := k.openConversation(k.claims.Subject)
		k.subscribe(id, math.MaxInt)
		opened := map[string]string{"conversationId": id}
		return encodeResponse(f, "cm.RequestConversationResponse", http.StatusOK, opened)
	case "ms.SubscribeMessagingEvents":
		if !k.subscribe(id, body.FromSeq) {
			return encodeResponse(f, "GeneralResponse", http.StatusNotFound, "no such conversation")
		}
		return encodeResponse(f, "GenericSubscribeResponse", http.StatusOK, map[string]any{})
	case "ms.PublishEvent":
		if body.Event.Type != "ContentEvent" { // the consumer is typing or has read a message
			return encodeResponse(f, "ms.PublishEventResponse", http.StatusOK, map[string]any{})
		}
		sequence, ok := k.addMessage(id, k.claims.Subject, false, body.Event.Message)
		if !ok {
			return encodeResponse(f, "GeneralResponse", http.StatusBadRequest,
				"the conversation is not open, or the text does not have 1 to 8192 bytes")
		}
		published := map[string]int{"sequence": sequence}
		return encodeResponse(f, "ms.PublishEventResponse", http.StatusOK, published)
	case "cm.UpdateConversationField":
		if k.ownsConversation(id) {
			k.closeConversation(id)
		}
		return encodeResponse(f, "cm.UpdateConversationFieldResponse", http.StatusOK, map[string]any{})
	}
	return encodeResponse(f, "GeneralResponse", http.StatusNotImplemented,
		"the simulator does not support "+truncateText(f.Type))
}
