package api

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOutcomeUnknown means that the service may or may not have received a message:
// the connection was lost before the response, and there was no way to find out.
var ErrOutcomeUnknown = errors.New("the message may or may not have been delivered")

const (
	// deliveryWait is how long to look for a message in the conversation before sending
	// it again. A message sent on a lost connection may still be on its way.
	deliveryWait = 2 * time.Second
	// clockSlack is how far timestamps of messages may be off from the service's clock.
	clockSlack = time.Second
)

// pendingMessage is a message on its way to the service.
type pendingMessage struct {
	conversation, text string

	firstSequence int       // the lowest sequence it can have; 0 if unknown
	started       time.Time // when the first attempt began
	sent          bool      // the service may have received it

	// For the search after a lost connection. The socket's mutex guards these.
	notBefore time.Time     // older messages do not match, if firstSequence is unknown
	sequence  int           // of the matching message
	found     chan struct{} // closed when the message is found
}

// Publish sends a text message to a conversation and returns its sequence number. It
// waits for a connection. Messages are sent one after the other.
//
// If the connection is lost before the response, Publish reads the conversation over
// the next one. It sends the message again only if it does not find it there within
// two seconds, so the message arrives once. LivePerson's protocol has no ID to
// recognize a repeated message, which leaves three cases open: the consumer sent the
// same text from another device at the same time; the service changed the text; or
// the first message arrives after more than two seconds.
//
// Config.Retry limits how often the message is sent again. If the message may have
// arrived, the error is ErrOutcomeUnknown.
func (s *Socket) Publish(ctx context.Context, conversation, text string) (int, error) {
	select {
	case s.publishing <- struct{}{}:
		defer func() { <-s.publishing }()
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for the previous message: %w", context.Cause(ctx))
	}
	m := &pendingMessage{conversation: conversation, text: text}
	err := s.withConnection(ctx, func(c *connection) (err error) {
		return s.sendMessage(ctx, c, m)
	})
	_, rejected := errors.AsType[*Error](err)
	if err != nil && m.sent && !rejected && !errors.Is(err, ErrOutcomeUnknown) {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return m.sequence, err
}

// sendMessage sends a message on one connection, unless it has arrived over an
// earlier one.
func (s *Socket) sendMessage(ctx context.Context, c *connection, m *pendingMessage) error {
	if m.sent {
		delivered, err := s.wasDelivered(ctx, c, m)
		if _, rejected := errors.AsType[*Error](err); rejected {
			return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err) // the search was rejected, not the message
		}
		if err != nil || delivered {
			return err
		}
		s.client.cfg.Log.InfoContext(ctx, "liveengage_message_resent",
			"account", s.client.cfg.Account, "service", serviceMessaging)
	}
	var got struct {
		Sequence *int `json:"sequence"`
	}
	s.mu.Lock()
	if !m.sent {
		m.firstSequence, m.started = s.nextSequence[m.conversation], s.client.cfg.Now()
	}
	s.mu.Unlock()
	err := c.sendRequest(ctx, "ms.PublishEvent", map[string]any{
		"dialogId": m.conversation,
		"event":    map[string]string{"type": "ContentEvent", "contentType": "text/plain", "message": m.text},
	}, &got)
	m.sent = m.sent || !errors.Is(err, errClosing)
	if err == nil && got.Sequence != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		m.sequence = *got.Sequence
		s.nextSequence[m.conversation] = max(s.nextSequence[m.conversation], m.sequence+1)
	}
	return err
}

// wasDelivered subscribes to the conversation and waits for the message to appear.
func (s *Socket) wasDelivered(ctx context.Context, c *connection, m *pendingMessage) (bool, error) {
	if m.firstSequence == 0 {
		now, err := c.getClock(ctx)
		if err != nil {
			return false, err
		}
		m.notBefore = now.Add(m.started.Sub(s.client.cfg.Now()) - clockSlack)
	}
	s.mu.Lock()
	m.found = make(chan struct{})
	s.awaited = m
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.awaited = nil
		s.mu.Unlock()
	}()
	subscription := map[string]any{"fromSeq": m.firstSequence, "dialogId": m.conversation}
	if err := c.sendRequest(ctx, "ms.SubscribeMessagingEvents", subscription, nil); err != nil {
		return false, err
	}
	timer := time.NewTimer(deliveryWait)
	defer timer.Stop()
	select {
	case <-m.found:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-c.lost:
		return false, errConnectionLost
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// matchChanges looks for the message among the messages of a notification. The caller
// holds the socket's mutex.
func (m *pendingMessage) matchChanges(changes []messageChange) {
	for _, c := range changes {
		if c.Dialog == m.conversation && m.matches(c) && !isClosed(m.found) {
			m.sequence = c.Sequence
			close(m.found)
		}
	}
}

// matches reports whether c is a text message of the consumer with the same text, and
// recent enough.
func (m *pendingMessage) matches(c messageChange) bool {
	if c.Event.Type != "ContentEvent" || c.plainText() != m.text {
		return false
	}
	if c.Metadata.Role != "" && c.Metadata.Role != "CONSUMER" {
		return false
	}
	if m.firstSequence > 0 {
		return c.Sequence >= m.firstSequence
	}
	return !time.UnixMilli(c.Milliseconds).Before(m.notBefore)
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// withConnection runs do on a connection, and again on the next one if that was lost
// or the service did not respond, as often as Config.Retry allows. It must be safe to
// run do twice.
func (s *Socket) withConnection(ctx context.Context, do func(*connection) error) error {
	for attempt := 1; ; attempt++ {
		c, err := s.waitForConnection(ctx)
		if err != nil {
			return err
		}
		err = do(c)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		_, broken := errors.AsType[*noResponseError](err)
		if broken {
			c.abort(ctx)
		}
		if errors.Is(err, errClosing) {
			attempt-- // nothing was sent
		} else if !broken && !errors.Is(err, errConnectionLost) && !errors.Is(err, errTimedOut) {
			return err
		}
		p := s.client.cfg.Retry
		if attempt > 0 && (p == NoRetry || p == RetryThreeTimes && attempt > len(threePauses())) {
			return err
		}
	}
}
