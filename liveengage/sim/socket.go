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

// statusBadJWT closes a socket whose token is bad, has expired or is for another
// account.
const statusBadJWT = websocket.StatusCode(4407)

func (s *Simulator) registerSocket(mux *http.ServeMux) {
	mux.HandleFunc("GET /ws_api/account/{account}/messaging/consumer", s.messaging)
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

	conn    *websocket.Conn
	who     ownClaims
	replies chan []byte
	news    chan struct{}  // there may be lines to tell
	told    map[string]int // next sequence by conversation; the Simulator's mutex guards it
}

// messaging is the consumer's messaging socket. Who it is says the header, or the
// first message within a few seconds, since browsers send no header.
func (s *Simulator) messaging(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("v") != "3" {
		writeFault(w, http.StatusBadRequest, "Bad Request: v=3 is required.")
		return
	}
	if !s.enter() {
		writeFault(w, http.StatusServiceUnavailable, fmt.Sprintf("The simulator has %d sockets; close one.", maxSockets))
		return
	}
	defer s.exit()
	// Any origin may: no cookie counts here, only the token.
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return // Accept has answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxRequest)
	k := &socket{Simulator: s, conn: conn, replies: make(chan []byte, 8), news: make(chan struct{}, 1), told: map[string]int{}}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	token, reply := "", []byte(nil)
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "jwt") {
		token = rest
	} else if token, reply, err = k.introduce(ctx); err != nil {
		_ = conn.Close(statusBadJWT, "InitConnection with a JWT was expected")
		return
	}
	if k.who, err = s.crypto.read(token); err != nil || !s.current(k.who, r) {
		_ = conn.Close(statusBadJWT, "JWT is bad, expired or for another account")
		return
	}
	if !k.join() {
		_ = conn.Close(websocket.StatusTryAgainLater, fmt.Sprintf("a consumer has %d sockets at most", maxOwnSockets))
		return
	}
	defer k.leave()
	if reply != nil {
		k.replies <- reply
	}
	// Nobody need say anything for a token to expire.
	ends := time.AfterFunc(time.Unix(k.who.Expires, 0).Sub(s.Now()), k.expire)
	defer ends.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer cancel() // the reader must not wait for a writer that has gone
		k.write(ctx, r)
	}()
	k.read(ctx, r)
	cancel()
	<-done
}

// expire closes a socket whose token counts no more.
func (k *socket) expire() { _ = k.conn.Close(statusBadJWT, "JWT has expired") }

// current says whether a token is for this account and has not expired.
func (s *Simulator) current(c ownClaims, r *http.Request) bool {
	return s.knows(r) && c.Issuer == liveengage.TokenIssuer && c.Audience == "acc:"+s.Account && s.Now().Unix() < c.Expires
}

// introduce reads InitConnection.
func (k *socket) introduce(ctx context.Context) (token string, reply []byte, err error) {
	// A context with a deadline would drop the connection without saying why.
	timer := time.AfterFunc(k.Patience, func() { _ = k.conn.Close(statusBadJWT, "InitConnection was expected") })
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
			return h.JWT, response(f, "InitConnectionResponse", http.StatusOK, map[string]any{}), nil
		}
	}
	return "", nil, errors.New("no token")
}

// write sends what is waiting until the connection ends or the token does.
func (k *socket) write(ctx context.Context, r *http.Request) {
	for {
		var raw []byte
		select {
		case <-ctx.Done():
			return
		case raw = <-k.replies:
		case <-k.news:
			if !k.current(k.who, r) {
				k.expire()
				return
			}
			if raw = k.page(); raw == nil {
				continue
			}
			k.poke() // perhaps there are more
		}
		frame, cancel := context.WithTimeout(ctx, k.Patience)
		err := k.conn.Write(frame, websocket.MessageText, raw)
		cancel()
		if err != nil {
			return
		}
	}
}

// read answers requests until the connection ends or the token does.
func (k *socket) read(ctx context.Context, r *http.Request) {
	for {
		_, raw, err := k.conn.Read(ctx)
		if err != nil {
			return
		}
		if !k.current(k.who, r) {
			k.expire()
			return
		}
		var f frame
		if json.Unmarshal(raw, &f) != nil || f.Kind != "req" {
			_ = k.conn.Close(websocket.StatusUnsupportedData, `a request is JSON with "kind":"req"`)
			return
		}
		select {
		case k.replies <- k.answer(f):
		case <-ctx.Done():
			return
		}
	}
}

// about is what requests have in their body.
type about struct {
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

// answer handles one request.
func (k *socket) answer(f frame) []byte {
	var b about
	if f.Body != nil && json.Unmarshal(f.Body, &b) != nil {
		return response(f, "GeneralResponse", http.StatusBadRequest, "body is not what "+clip(f.Type)+" has")
	}
	switch f.Type {
	case "GetClock":
		return response(f, "GetClockResponse", http.StatusOK, map[string]int64{"currentTime": k.Now().UnixMilli()})
	case "InitConnection":
		return response(f, "InitConnectionResponse", http.StatusOK, map[string]any{})
	case "cm.ConsumerRequestConversation":
		id := k.open(k.who.Subject)
		k.follow(id, math.MaxInt)
		return response(f, "cm.RequestConversationResponse", http.StatusOK, map[string]string{"conversationId": id})
	case "ms.SubscribeMessagingEvents":
		if !k.follow(b.talk(), b.FromSeq) {
			return response(f, "GeneralResponse", http.StatusNotFound, "no such conversation")
		}
		return response(f, "GenericSubscribeResponse", http.StatusOK, map[string]any{})
	case "ms.PublishEvent":
		if b.Event.Type != "ContentEvent" {
			return response(f, "ms.PublishEventResponse", http.StatusOK, map[string]any{}) // typing and reading
		}
		sequence, ok := k.say(b.talk(), k.who.Subject, false, b.Event.Message)
		if !ok {
			return response(f, "GeneralResponse", http.StatusBadRequest, "no such open conversation, or no text of 1 to 8192 bytes")
		}
		return response(f, "ms.PublishEventResponse", http.StatusOK, map[string]int{"sequence": sequence})
	case "cm.UpdateConversationField":
		if k.owns(b.talk()) {
			k.close(b.talk())
		}
		return response(f, "cm.UpdateConversationFieldResponse", http.StatusOK, map[string]any{})
	}
	return response(f, "GeneralResponse", http.StatusNotImplemented, "the simulator does not know "+clip(f.Type))
}

// talk is the conversation that a request is about; its main dialog has the same id.
func (b about) talk() string {
	if b.ConversationID != "" {
		return b.ConversationID
	}
	return b.DialogID
}

// response answers a request. Whatever its id was, reqId is text.
func response(f frame, kind string, code int, body any) []byte {
	return encode(map[string]any{"kind": "resp", "reqId": strings.Trim(string(f.ID), `"`), "code": code, "type": kind, "body": body})
}

// notification tells of lines.
func notification(id string, lines []line) []byte {
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
	return encode(map[string]any{"kind": "notification", "type": "ms.MessagingEventNotification", "body": map[string]any{"changes": changes}})
}

// encode writes <, > and & as they are: a line of them would be six times as long.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(v) != nil {
		return []byte(`{"kind":"resp","code":500}`)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
