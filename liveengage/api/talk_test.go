package api_test

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// talk is a conversation of the messaging service that is played, with its lines.
type talk struct {
	mu    sync.Mutex
	lines []string
	at    []time.Time
	to    []*websocket.Conn // are told of lines

	ending chan struct{} // told when a limit is over, in that moment; may be nil
}

// add adds a line and tells the others of it, who may be gone.
func (k *talk) add(text string, by *websocket.Conn) int {
	k.mu.Lock()
	k.lines, k.at = append(k.lines, text), append(k.at, time.Now())
	n, to := len(k.lines)-1, k.to
	k.mu.Unlock()
	for _, conn := range to {
		if conn != by {
			_ = conn.Write(context.Background(), websocket.MessageText, k.told(n))
		}
	}
	return n
}

func (k *talk) follow(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.to = append(slices.Clone(k.to), conn)
}

func (k *talk) leave(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.to = slices.DeleteFunc(slices.Clone(k.to), func(c *websocket.Conn) bool { return c == conn })
}

func (k *talk) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.lines...)
}

// told is a notification of the lines from a number on.
func (k *talk) told(from int) []byte {
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

// accident is what befalls a request: whether it is heard, and what comes then.
type accident struct {
	kind   string        // of the request
	after  int           // so many of its kind that went well
	unread bool          // it is not heard
	echo   bool          // its line is told before the connection ends
	silent bool          // nothing is answered, and the connection stays
	untold bool          // it is answered, and its line is not told
	slow   time.Duration // it is answered after a while
	code   websocket.StatusCode
}

// chat answers a connection of the conversation until it ends, a limit is over or an
// accident happens.
func (k *talk) chat(limit time.Duration, code websocket.StatusCode, accidents ...accident) func(*services, *websocket.Conn) {
	return func(s *services, conn *websocket.Conn) {
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
		defer k.leave(conn)
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				return
			}
			var m message
			_ = json.Unmarshal(text, &m)
			s.note("%s", m.Type)
			var met *accident
			if len(accidents) > 0 && accidents[0].kind == m.Type {
				if accidents[0].after == 0 {
					met, accidents = &accidents[0], accidents[1:]
				} else {
					accidents[0].after--
				}
			}
			if met != nil && met.unread {
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
				k.follow(conn)
				from, _ := m.Body["fromSeq"].(float64)
				later = k.told(int(from))
				if m.Body["dialogId"] != "conv-1" {
					code = 404
				}
			case "ms.PublishEvent":
				event, _ := m.Body["event"].(map[string]any)
				said, _ := event["message"].(string)
				n := k.add(said, conn)
				body["sequence"], later = n, k.told(n)
			}
			switch {
			case met != nil && met.slow > 0:
				answer, _ := json.Marshal(map[string]any{"kind": "resp", "reqId": m.ID, "code": code, "type": m.Type + "Response", "body": body})
				timer := time.AfterFunc(met.slow, func() { _ = conn.Write(ctx, websocket.MessageText, answer) })
				defer timer.Stop()
				continue
			case met != nil && met.untold:
				later = nil
			case met != nil && met.silent:
				continue
			case met != nil:
				if met.echo {
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
