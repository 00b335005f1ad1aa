package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"idpbridge/liveengage"
)

// statusBadToken closes a socket whose token is bad, has expired or is for another
// account.
const statusBadToken = websocket.StatusCode(4407)

func (s *Simulator) registerSocket(mux *http.ServeMux) {
	mux.HandleFunc("GET /ws_api/account/{account}/messaging/consumer", s.serveMessaging)
}

// frame is a request of the consumer's side. The id is text or a number.
type frame struct {
	Kind    string          `json:"kind"`
	ID      json.RawMessage `json:"id"`
	Type    string          `json:"type"`
	Body    json.RawMessage `json:"body"`
	Headers []struct {
		Type string `json:"type"`
		JWT  string `json:"jwt"`
	} `json:"headers"`
}

// socket is one consumer's connection. No line waits in it: it knows what it has
// told of each conversation, and reads on from there as fast as its client does.
type socket struct {
	*Simulator

	conn          *websocket.Conn
	claims        ownClaims
	replies       chan []byte
	wakeUp        chan struct{}  // there may be lines to tell
	nextSequences map[string]int // next sequence by conversation; the Simulator's mutex guards it
}

// serveMessaging is the consumer's messaging socket. Who it is says the header, or the
// first message within a few seconds, since browsers send no header.
func (s *Simulator) serveMessaging(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") != "3" {
		writeError(w, http.StatusBadRequest, "Bad Request: v=3 is required.")
		return
	}
	if !s.acquireSocket() {
		writeError(w, http.StatusServiceUnavailable, fmt.Sprintf("The simulator has %d sockets; close one.", maxSockets))
		return
	}
	defer s.releaseSocket()
	// Any origin may: no cookie counts here, only the token.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxRequest)
	k := &socket{Simulator: s, conn: conn, replies: make(chan []byte, 8), wakeUp: make(chan struct{}, 1), nextSequences: map[string]int{}}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	token, reply := "", []byte(nil)
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "jwt") {
		token = rest
	} else if token, reply, err = k.readInitConnection(ctx); err != nil {
		_ = conn.Close(statusBadToken, "InitConnection with a JWT was expected")
		return
	}
	if k.claims, err = s.keyring.readToken(token); err != nil || !s.isCurrent(k.claims, r) {
		_ = conn.Close(statusBadToken, "JWT is bad, expired or for another account")
		return
	}
	if !k.register() {
		_ = conn.Close(websocket.StatusTryAgainLater, fmt.Sprintf("a consumer has %d sockets at most", maxOwnSockets))
		return
	}
	defer k.unregister()
	if reply != nil {
		k.replies <- reply
	}
	// Nobody need say anything for a token to expire.
	ends := time.AfterFunc(time.Unix(k.claims.Expires, 0).Sub(s.Now()), k.closeExpired)
	defer ends.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel() // the reader must not wait for a writer that has gone
		k.writeFrames(ctx, r)
	}()
	k.readFrames(ctx, r)
	cancel()
	<-done
}

// closeExpired closes a socket whose token counts no more.
func (k *socket) closeExpired() { _ = k.conn.Close(statusBadToken, "JWT has expired") }

// isCurrent says whether a token is for this account and has not expired.
func (s *Simulator) isCurrent(c ownClaims, r *http.Request) bool {
	return s.matchesAccount(r) && c.Issuer == liveengage.TokenIssuer && c.Audience == "acc:"+s.Account && s.Now().Unix() < c.Expires
}

// readInitConnection reads InitConnection.
func (k *socket) readInitConnection(ctx context.Context) (token string, reply []byte, err error) {
	// A context with a deadline would drop the connection without saying why.
	timer := time.AfterFunc(k.SocketTimeout, func() { _ = k.conn.Close(statusBadToken, "InitConnection was expected") })
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

// writeFrames sends what is waiting until the connection ends or the token does.
func (k *socket) writeFrames(ctx context.Context, r *http.Request) {
	for {
		var raw []byte
		select {
		case <-ctx.Done():
			return
		case raw = <-k.replies:
		case <-k.wakeUp:
			if !k.isCurrent(k.claims, r) {
				k.closeExpired()
				return
			}
			if raw = k.nextNotification(); raw == nil {
				continue
			}
			k.wakeWriter() // perhaps there are more
		}
		frame, cancel := context.WithTimeout(ctx, k.SocketTimeout)
		err := k.conn.Write(frame, websocket.MessageText, raw)
		cancel()
		if err != nil {
			return
		}
	}
}

// readFrames answers requests until the connection ends or the token does.
func (k *socket) readFrames(ctx context.Context, r *http.Request) {
	for {
		_, raw, err := k.conn.Read(ctx)
		if err != nil {
			return
		}
		if !k.isCurrent(k.claims, r) {
			k.closeExpired()
			return
		}
		var f frame
		if json.Unmarshal(raw, &f) != nil || f.Kind != "req" {
			_ = k.conn.Close(websocket.StatusUnsupportedData, `a request is JSON with "kind":"req"`)
			return
		}
		select {
		case k.replies <- k.handleFrame(f):
		case <-ctx.Done():
			return
		}
	}
}

// requestBody is what requests have in their body.
type requestBody struct {
	ConversationID string `json:"conversationId"`
	DialogID       string `json:"dialogId"`
	FromSeq        int    `json:"fromSeq"`
	Event          struct {
		Type        string `json:"type"`
		ContentType string `json:"contentType"`
		Message     string `json:"message"`
	} `json:"event"`
	Fields []struct {
		Field string `json:"field"`
		State string `json:"conversationState"`
	} `json:"conversationField"`
}

// handleFrame handles one request.
func (k *socket) handleFrame(f frame) []byte {
	var b requestBody
	if f.Body != nil && json.Unmarshal(f.Body, &b) != nil {
		return encodeResponse(f, "GeneralResponse", http.StatusBadRequest, "body is not what "+truncateText(f.Type)+" has")
	}
	switch f.Type {
	case "GetClock":
		return encodeResponse(f, "GetClockResponse", http.StatusOK, map[string]int64{"currentTime": k.Now().UnixMilli()})
	case "InitConnection":
		return encodeResponse(f, "InitConnectionResponse", http.StatusOK, map[string]any{})
	case "cm.ConsumerRequestConversation":
		id := k.openConversation(k.claims.Subject)
		k.subscribe(id, math.MaxInt)
		return encodeResponse(f, "cm.RequestConversationResponse", http.StatusOK, map[string]string{"conversationId": id})
	case "ms.SubscribeMessagingEvents":
		if !k.subscribe(b.conversationID(), b.FromSeq) {
			return encodeResponse(f, "GeneralResponse", http.StatusNotFound, "no such conversation")
		}
		return encodeResponse(f, "GenericSubscribeResponse", http.StatusOK, map[string]any{})
	case "ms.PublishEvent":
		if b.Event.Type != "ContentEvent" {
			return encodeResponse(f, "ms.PublishEventResponse", http.StatusOK, map[string]any{}) // typing and reading
		}
		sequence, ok := k.addMessage(b.conversationID(), k.claims.Subject, false, b.Event.Message)
		if !ok {
			return encodeResponse(f, "GeneralResponse", http.StatusBadRequest, "no such open conversation, or no text of 1 to 8192 bytes")
		}
		return encodeResponse(f, "ms.PublishEventResponse", http.StatusOK, map[string]int{"sequence": sequence})
	case "cm.UpdateConversationField":
		if k.ownsConversation(b.conversationID()) {
			k.closeConversation(b.conversationID())
		}
		return encodeResponse(f, "cm.UpdateConversationFieldResponse", http.StatusOK, map[string]any{})
	}
	return encodeResponse(f, "GeneralResponse", http.StatusNotImplemented, "the simulator does not know "+truncateText(f.Type))
}

// conversationID is the conversation that a request is about; its main dialog has the same id.
func (b requestBody) conversationID() string {
	if b.ConversationID != "" {
		return b.ConversationID
	}
	return b.DialogID
}

// encodeResponse answers a request. Whatever its id was, reqId is text.
func encodeResponse(f frame, kind string, code int, body any) []byte {
	return encodeJSON(map[string]any{"kind": "resp", "reqId": strings.Trim(string(f.ID), `"`), "code": code, "type": kind, "body": body})
}

// encodeNotification tells of lines.
func encodeNotification(id string, lines []message) []byte {
	changes := make([]map[string]any, 0, len(lines))
	for _, l := range lines {
		role := "CONSUMER"
		if l.Agent {
			role = "ASSIGNED_AGENT"
		}
		changes = append(changes, map[string]any{
			"sequence": l.Sequence, "conversationId": id, "dialogId": id, "serverTimestamp": l.At.UnixMilli(),
			"originatorMetadata": map[string]string{"role": role},
			"event":              map[string]string{"type": "ContentEvent", "contentType": "text/plain", "message": l.Text},
		})
	}
	return encodeJSON(map[string]any{"kind": "notification", "type": "ms.MessagingEventNotification", "body": map[string]any{"changes": changes}})
}

// encodeJSON writes <, > and & as they are: a line of them would be six times as long.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return []byte(`{"kind":"resp","code":500}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
