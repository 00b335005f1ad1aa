package api_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// fakeConversation is a conversation of the messaging service that is played, with its lines.
type fakeConversation struct {
	mu          sync.Mutex
	lines       []string
	at          []time.Time
	subscribers []*websocket.Conn // are told of lines

	ending chan struct{} // told when a limit is over, in that moment; may be nil
}

// addLine adds a line and tells the others of it, who may be gone.
func (k *fakeConversation) addLine(text string, by *websocket.Conn) int {
	k.mu.Lock()
	k.lines, k.at = append(k.lines, text), append(k.at, time.Now())
	n, to := len(k.lines)-1, k.subscribers
	k.mu.Unlock()
	for _, conn := range to {
		if conn != by {
			_ = conn.Write(context.Background(), websocket.MessageText, k.notification(n))
		}
	}
	return n
}

func (k *fakeConversation) subscribe(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.subscribers = append(slices.Clone(k.subscribers), conn)
}

func (k *fakeConversation) unsubscribe(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.subscribers = slices.DeleteFunc(slices.Clone(k.subscribers), func(c *websocket.Conn) bool { return c == conn })
}

func (k *fakeConversation) allLines() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.lines...)
}

// notification is a notification of the lines from a number on.
func (k *fakeConversation) notification(from int) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	changes := []any{}
	for i := from; i < len(k.lines); i++ {
		changes = append(changes, map[string]any{
			"sequence": i, "originatorMetadata": map[string]string{"role": "CONSUMER"}, "serverTimestamp": k.at[i].UnixMilli(), "dialogId": "conv-1",
			"event": map[string]string{"type": "ContentEvent", "message": k.lines[i], "contentType": "text/plain"},
		})
	}
	if len(changes) == 0 {
		return nil
	}
	raw, _ := json.Marshal(map[string]any{"kind": "notification", "type": "ms.MessagingEventNotification", "body": map[string]any{"changes": changes}})
	return raw
}

// failure is what befalls a request: whether it is heard, and what comes then.
type failure struct {
	kind       string        // of the request
	after      int           // so many of its kind that went well
	ignored    bool          // it is not heard
	notifies   bool          // its line is told before the connection ends
	silent     bool          // nothing is answered, and the connection stays
	unnotified bool          // it is answered, and its line is not told
	delay      time.Duration // it is answered after a while
	code       websocket.StatusCode
}

// serveSocket answers a connection of the conversation until it ends, a limit is over or an
// accident happens.
func (k *fakeConversation) serveSocket(limit time.Duration, code websocket.StatusCode, accidents ...failure) func(*fakeServices, *websocket.Conn) {
	return func(s *fakeServices, conn *websocket.Conn) {
		ctx := context.Background()
		end := func(code websocket.StatusCode) {
			if code == 0 {
				_ = conn.CloseNow()
			} else {
				_ = conn.Close(code, "")
			}
		}
		if limit > 0 {
			timer := time.AfterFunc(limit, func() {
				select {
				case k.ending <- struct{}{}:
				default:
				}
				end(code)
			})
			defer timer.Stop()
		}
		defer k.unsubscribe(conn)
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var m message
			_ = json.Unmarshal(text, &m)
			s.record("%s", m.Type)
			var met *failure
			if len(accidents) > 0 && accidents[0].kind == m.Type {
				if accidents[0].after == 0 {
					met, accidents = &accidents[0], accidents[1:]
				} else {
					accidents[0].after--
				}
			}
			if met != nil && met.ignored {
				end(met.code)
				return
			}
			body, later := map[string]any{}, []byte(nil)
			code := 200
			switch m.Type {
			case "cm.ConsumerRequestConversation":
				body["conversationId"] = "conv-1"
			case "GetClock":
				body["currentTime"] = time.Now().UnixMilli()
			case "ms.SubscribeMessagingEvents":
				k.subscribe(conn)
				from, _ := m.Body["fromSeq"].(float64)
				later = k.notification(int(from))
				if m.Body["dialogId"] != "conv-1" {
					code = 404
				}
			case "ms.PublishEvent":
				event, _ := m.Body["event"].(map[string]any)
				said, _ := event["message"].(string)
				n := k.addLine(said, conn)
				body["sequence"], later = n, k.notification(n)
			}
			switch {
			case met != nil && met.delay > 0:
				answer, _ := json.Marshal(map[string]any{"kind": "resp", "reqId": m.ID, "code": code, "type": m.Type + "Response", "body": body})
				timer := time.AfterFunc(met.delay, func() { _ = conn.Write(ctx, websocket.MessageText, answer) })
				defer timer.Stop()
				continue
			case met != nil && met.unnotified:
				later = nil
			case met != nil && met.silent:
				continue
			case met != nil:
				if met.notifies {
					_ = conn.Write(ctx, websocket.MessageText, later)
				}
				end(met.code)
				return
			}
			answer, _ := json.Marshal(map[string]any{"kind": "resp", "reqId": m.ID, "code": code, "type": m.Type + "Response", "body": body})
			if conn.Write(ctx, websocket.MessageText, answer) != nil || later != nil && conn.Write(ctx, websocket.MessageText, later) != nil {
				return
			}
		}
	}
}
