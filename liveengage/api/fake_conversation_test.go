package api_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// fakeConversation is a conversation at the fake messaging service.
type fakeConversation struct {
	mu          sync.Mutex
	lines       []string
	at          []time.Time
	subscribers []*websocket.Conn

	ending chan struct{} // receives when a limit ends; may be nil
}

// addLine adds a line and notifies the other subscribers.
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

// notification returns a notification of the lines from a sequence number on.
func (k *fakeConversation) notification(from int) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	changes := []any{}
	for i := from; i < len(k.lines); i++ {
		changes = append(changes, map[string]any{
			"sequence":           i,
			"originatorMetadata": map[string]string{"role": "CONSUMER"},
			"serverTimestamp":    k.at[i].UnixMilli(),
			"dialogId":           "conv-1",
			"event":              map[string]string{"type": "ContentEvent", "message": k.lines[i], "contentType": "text/plain"},
		})
	}
	if len(changes) == 0 {
		return nil
	}
	raw, _ := json.Marshal(map[string]any{
		"kind": "notification",
		"type": "ms.MessagingEventNotification",
		"body": map[string]any{"changes": changes},
	})
	return raw
}

// failure is what happens to one request.
type failure struct {
	kind     string        // type of the request
	after    int           // requests of that type that succeed first
	ignored  bool          // the connection ends before the request is handled
	notifies bool          // the notification is sent before the connection ends
	silent   bool          // there is no response, but the connection stays open
	delay    time.Duration // the response is late
	code     websocket.StatusCode
}

// serveSocket returns a script that responds to requests until the connection ends,
// the limit is over or a failure happens.
func (k *fakeConversation) serveSocket(
	limit time.Duration, code websocket.StatusCode, failures ...failure,
) func(*fakeServices, *websocket.Conn) {
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
			_, raw, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var m message
			_ = json.Unmarshal(raw, &m)
			s.record("%s", m.Type)
			s.recordBody(string(raw))
			var now failure
			fails := false
			if len(failures) > 0 && failures[0].kind == m.Type {
				if failures[0].after == 0 {
					now, fails, failures = failures[0], true, failures[1:]
				} else {
					failures[0].after--
				}
			}
			if now.ignored {
				end(now.code)
				return
			}
			response, notification := k.respond(conn, m)
			if now.delay > 0 {
				timer := time.AfterFunc(now.delay, func() { _ = conn.Write(ctx, websocket.MessageText, response) })
				defer timer.Stop()
				continue
			}
			if now.silent {
				continue
			}
			if fails {
				if now.notifies {
					_ = conn.Write(ctx, websocket.MessageText, notification)
				}
				end(now.code)
				return
			}
			if conn.Write(ctx, websocket.MessageText, response) != nil {
				return
			}
			if notification != nil && conn.Write(ctx, websocket.MessageText, notification) != nil {
				return
			}
		}
	}
}

// respond handles a request. It returns the response and a notification, if any.
func (k *fakeConversation) respond(conn *websocket.Conn, m message) (response, notification []byte) {
	body, code := map[string]any{}, 200
	switch m.Type {
	case "cm.ConsumerRequestConversation":
		body["conversationId"] = "conv-1"
	case "GetClock":
		body["currentTime"] = time.Now().UnixMilli()
	case "ms.SubscribeMessagingEvents":
		k.subscribe(conn)
		from, _ := m.Body["fromSeq"].(float64)
		notification = k.notification(int(from))
		if m.Body["dialogId"] != "conv-1" {
			code = 404
		}
	case "ms.PublishEvent":
		event, _ := m.Body["event"].(map[string]any)
		text, _ := event["message"].(string)
		n := k.addLine(text, conn)
		body["sequence"], notification = n, k.notification(n)
	}
	response, _ = json.Marshal(map[string]any{
		"kind": "resp", "reqId": m.ID, "code": code, "type": m.Type + "Response", "body": body,
	})
	return response, notification
}
