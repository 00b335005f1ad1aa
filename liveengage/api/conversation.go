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

// StartConversation asks for a new conversation and returns its id. It waits for a
// connection, and asks again on the next where one is lost before the answer. Nobody
// knows then whether the first request was heard: the service may have a conversation
// that stays empty, or answer with the one that is open already.
func (s *Socket) StartConversation(ctx context.Context) (string, error) {
	var got struct {
		ID string `json:"conversationId"`
	}
	if err := s.sendRequest(ctx, "cm.ConsumerRequestConversation", nil, &got); err != nil {
		return "", err
	}
	if got.ID == "" {
		return "", errors.New("the new conversation has no id")
	}
	return got.ID, nil
}

// Subscribe asks to be told of the messages of a conversation, now and whenever the
// connection had to be opened again, then from where it was lost.
func (s *Socket) Subscribe(ctx context.Context, conversation string) error {
	if err := s.withConnection(ctx, func(l *connection) error { return s.subscribe(ctx, l, conversation) }); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dialogs = append(s.dialogs, conversation)
	return nil
}

func (s *Socket) subscribe(ctx context.Context, l *connection, conversation string) error {
	s.mu.Lock()
	from := s.sequence[conversation]
	s.mu.Unlock()
	return l.sendRequest(ctx, "ms.SubscribeMessagingEvents", map[string]any{"fromSeq": from, "dialogId": conversation}, nil)
}

// resubscribe is what a new connection owes the conversations of the former one. A
// conversation that is refused is logged: the others go on. A connection that is lost
// meanwhile is logged by whoever opens the next.
func (s *Socket) resubscribe(ctx context.Context, l *connection) {
	s.mu.Lock()
	dialogs := s.dialogs
	s.mu.Unlock()
	for _, d := range dialogs {
		if err := s.subscribe(ctx, l, d); err != nil && ctx.Err() == nil && !isClosed(l.lost) && !errors.Is(err, errClosing) {
			s.client.logFailure(ctx, failedAttempt{serviceMessaging, "subscribe again", 1, 0, false, err})
		}
	}
}

// Clock is the time by the messaging service.
func (s *Socket) Clock(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := s.withConnection(ctx, func(l *connection) (err error) {
		at, err = l.getClock(ctx)
		return err
	})
	return at, err
}

func (s *Socket) sendRequest(ctx context.Context, kind string, body, out any) error {
	return s.withConnection(ctx, func(l *connection) error { return l.sendRequest(ctx, kind, body, out) })
}

// messageChange is a message as the service tells it.
type messageChange struct {
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
}

// plainText is that of a line; a rich message has none.
func (c messageChange) plainText() string {
	var text string
	_ = json.Unmarshal(c.Event.Message, &text)
	return text
}

// handleNotification tells the caller of messages, each once.
func (s *Socket) handleNotification(f frame) {
	if f.Type != "ms.MessagingEventNotification" {
		return
	}
	var body struct {
		Changes []messageChange `json:"changes"`
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
		s.nextSequence[c.Dialog] = max(s.nextSequence[c.Dialog], c.Sequence+1)
		s.mu.Unlock()
		if !fresh || s.cfg.Received == nil {
			continue
		}
		s.cfg.Received(Event{
			Conversation: c.Dialog, Sequence: c.Sequence, Originator: c.Originator, Role: c.Metadata.Role,
			Time: time.UnixMilli(c.Milliseconds).UTC(), Type: c.Event.Type, Text: c.plainText(),
		})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.awaited != nil {
		s.awaited.matchChanges(body.Changes)
	}
}
