package api

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// Event is a message of a conversation.
type Event struct {
	Conversation string
	Sequence     int
	Originator   string // an id
	Role         string // such as CONSUMER or ASSIGNED_AGENT, if told
	Time         time.Time
	Type         string // ContentEvent for a line of text
	Text         string
}

// StartConversation asks for a new conversation and returns its id. Where the
// connection is lost before the answer, nobody knows whether there is one: the
// caller decides whether to ask again.
func (s *Socket) StartConversation(ctx context.Context) (string, error) {
	var got struct {
		ID string `json:"conversationId"`
	}
	if err := s.request(ctx, "cm.ConsumerRequestConversation", nil, &got); err != nil {
		return "", err
	}
	if got.ID == "" {
		return "", errors.New("the new conversation has no id")
	}
	return got.ID, nil
}

// Publish writes a line into a conversation and returns its number there.
func (s *Socket) Publish(ctx context.Context, conversation, text string) (int, error) {
	var got struct {
		Sequence int `json:"sequence"`
	}
	err := s.request(ctx, "ms.PublishEvent", map[string]any{
		"dialogId": conversation,
		"event":    map[string]string{"type": "ContentEvent", "contentType": "text/plain", "message": text},
	}, &got)
	return got.Sequence, err
}

// Subscribe asks to be told of the messages of a conversation, now and whenever the
// connection had to be opened again, then from where it was lost.
func (s *Socket) Subscribe(ctx context.Context, conversation string) error {
	l, err := s.connected(ctx)
	if err != nil {
		return err
	}
	if err := s.subscribe(ctx, l, conversation); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialogs = append(s.dialogs, conversation)
	return nil
}

func (s *Socket) subscribe(ctx context.Context, l *link, conversation string) error {
	s.mu.Lock()
	from := s.sequence[conversation]
	s.mu.Unlock()
	return l.request(ctx, "ms.SubscribeMessagingEvents", map[string]any{"fromSeq": from, "dialogId": conversation}, nil)
}

// resubscribe is what a new connection owes the conversations of the former one. A
// conversation that is refused is logged: the others go on.
func (s *Socket) resubscribe(ctx context.Context, l *link) {
	s.mu.Lock()
	dialogs := s.dialogs
	s.mu.Unlock()
	for _, d := range dialogs {
		if err := s.subscribe(ctx, l, d); err != nil && ctx.Err() == nil {
			s.client.fault(ctx, fault{serviceMessaging, "subscribe again", 1, 0, false, err})
		}
	}
}

// Clock is the time by the messaging service.
func (s *Socket) Clock(ctx context.Context) (time.Time, error) {
	l, err := s.connected(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return l.clock(ctx)
}

func (s *Socket) request(ctx context.Context, kind string, body, out any) error {
	l, err := s.connected(ctx)
	if err != nil {
		return err
	}
	return l.request(ctx, kind, body, out)
}

// received tells the caller of messages, each once.
func (s *Socket) received(f frame) {
	if f.Type != "ms.MessagingEventNotification" {
		return
	}
	var body struct {
		Changes []struct {
			Sequence   int    `json:"sequence"`
			Originator string `json:"originatorId"`
			Metadata   struct {
				Role string `json:"role"`
			} `json:"originatorMetadata"`
			Milliseconds int64  `json:"serverTimestamp"`
			Dialog       string `json:"dialogId"`
			Event        struct {
				Type    string          `json:"type"`
				Message json.RawMessage `json:"message"` // text for a line of text
			} `json:"event"`
		} `json:"changes"`
	}
	if json.Unmarshal(f.Body, &body) != nil {
		return // a message that is not understood is none of ours
	}
	for _, c := range body.Changes {
		s.mu.Lock()
		fresh := c.Sequence >= s.sequence[c.Dialog]
		if fresh {
			s.sequence[c.Dialog] = c.Sequence + 1
		}
		s.mu.Unlock()
		if !fresh || s.cfg.Received == nil {
			continue
		}
		var text string
		_ = json.Unmarshal(c.Event.Message, &text) // a rich message has no text
		s.cfg.Received(Event{
			Conversation: c.Dialog, Sequence: c.Sequence, Originator: c.Originator, Role: c.Metadata.Role,
			Time: time.UnixMilli(c.Milliseconds).UTC(), Type: c.Event.Type, Text: text,
		})
	}
}
