package api

import (
	"context"
	"encoding/json"
	"errors"
)

// StartConversation requests a new conversation and returns its ID. It waits for a
// connection, and asks again on the next one if the connection is lost before the
// response. In that case LivePerson may have handled the first request as well: it
// may keep an empty conversation, or return the one that is already open.
func (s *Socket) StartConversation(ctx context.Context) (string, error) {
	var got struct {
		ID string `json:"conversationId"`
	}
	err := s.withConnection(ctx, func(c *connection) error {
		return c.sendRequest(ctx, "cm.ConsumerRequestConversation", nil, &got)
	})
	if err != nil {
		return "", err
	}
	if got.ID == "" {
		return "", errors.New("the new conversation has no ID")
	}
	return got.ID, nil
}

// messageChange is one message in a notification.
type messageChange struct {
	Sequence int `json:"sequence"`
	Metadata struct {
		Role string `json:"role"`
	} `json:"originatorMetadata"`
	Milliseconds int64  `json:"serverTimestamp"`
	Dialog       string `json:"dialogId"`
	Event        struct {
		Type    string          `json:"type"`
		Message json.RawMessage `json:"message"` // a string for plain text
	} `json:"event"`
}

// plainText returns the text of the message, or "" for a rich message.
func (c messageChange) plainText() string {
	var text string
	_ = json.Unmarshal(c.Event.Message, &text)
	return text
}

// handleNotification records which sequence numbers are taken and looks for the
// message that Publish is waiting for.
func (s *Socket) handleNotification(f frame) {
	if f.Type != "ms.MessagingEventNotification" {
		return
	}
	var body struct {
		Changes []messageChange `json:"changes"`
	}
	if json.Unmarshal(f.Body, &body) != nil {
		return // not a notification this package knows
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range body.Changes {
		s.nextSequence[c.Dialog] = max(s.nextSequence[c.Dialog], c.Sequence+1)
	}
	if s.awaited != nil {
		s.awaited.matchChanges(body.Changes)
	}
}
