package api

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrOutcomeUnknown is a request of which nobody knows whether the service has done it: the
// connection was lost before the answer, and what happened could not be asked.
var ErrOutcomeUnknown = errors.New("nobody knows whether it has been done")

const (
	// deliveryWait is how long a line may be on its way: what was sent on a connection that
	// is lost may still be read, and be told to the next.
	deliveryWait = 2 * time.Second
	// clockSlack is how far the service's time, as it is told, may be from that of the
	// lines.
	clockSlack = time.Second
)

// pendingMessage is one that is being written, until it is known to have arrived.
type pendingMessage struct {
	conversation, text string

	firstSequence int       // the first number that it can have; 0 where none is known
	started       time.Time // of the first attempt
	sent          bool      // the service may have it

	// What of it is told after a loss. The socket's mutex guards these.
	notBefore time.Time     // no earlier line is this one, where from is not known
	sequence  int           // of the line that is this one
	found     chan struct{} // closed when it is told
}

// Publish writes a line into a conversation and returns its number there. It waits
// for a connection. Where one is lost before the answer, the next is asked for the
// conversation's lines, and the line is written again unless it is among them within
// two seconds: so it is there once. The protocol has no mark by which the service could tell a line that
// is written again, so three things cannot be known: whether a line of the same words
// that was written at the same time from the consumer's other device is this one;
// whether a service that changed the words has it; and whether one that was on its way
// for longer comes after all. Lines are written one after the other.
//
// How often a line is written again says the client's persistence. An error is
// ErrUnsure where the line may be there.
func (s *Socket) Publish(ctx context.Context, conversation, text string) (int, error) {
	select {
	case s.publishing <- struct{}{}:
		defer func() { <-s.publishing }()
	case <-ctx.Done():
		return 0, fmt.Errorf("wait for the line before: %w", context.Cause(ctx))
	}
	w := &pendingMessage{conversation: conversation, text: text}
	err := s.withConnection(ctx, func(l *connection) (err error) {
		return s.sendMessage(ctx, l, w)
	})
	if _, refused := errors.AsType[*Error](err); err != nil && w.sent && !refused && !errors.Is(err, ErrOutcomeUnknown) {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return w.sequence, err
}

// sendMessage writes a line on one connection, unless it has arrived on a former one.
func (s *Socket) sendMessage(ctx context.Context, l *connection, w *pendingMessage) error {
	if w.sent {
		arrived, err := s.wasDelivered(ctx, l, w)
		if _, refused := errors.AsType[*Error](err); refused {
			return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err) // it is not the line that is refused
		}
		if err != nil || arrived {
			return err
		}
		s.client.cfg.Log.InfoContext(ctx, "liveengage_written_again", "account", s.client.cfg.Account, "service", serviceMessaging)
	}
	var got struct {
		Sequence *int `json:"sequence"`
	}
	s.mu.Lock()
	if !w.sent {
		w.firstSequence, w.started = s.nextSequence[w.conversation], s.client.cfg.Now()
	}
	s.mu.Unlock()
	err := l.sendRequest(ctx, "ms.PublishEvent", map[string]any{
		"dialogId": w.conversation,
		"event":    map[string]string{"type": "ContentEvent", "contentType": "text/plain", "message": w.text},
	}, &got)
	w.sent = w.sent || !errors.Is(err, errClosing)
	if err == nil && got.Sequence != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		w.sequence = *got.Sequence
		s.nextSequence[w.conversation] = max(s.nextSequence[w.conversation], w.sequence+1)
	}
	return err
}

// wasDelivered asks for the lines of a conversation and waits for a certain one.
func (s *Socket) wasDelivered(ctx context.Context, l *connection, w *pendingMessage) (bool, error) {
	if w.firstSequence == 0 {
		now, err := l.getClock(ctx)
		if err != nil {
			return false, err
		}
		w.notBefore = now.Add(w.started.Sub(s.client.cfg.Now()) - clockSlack)
	}
	s.mu.Lock()
	w.found = make(chan struct{})
	s.awaited = w
	from := w.firstSequence
	for _, d := range s.dialogs {
		if d == w.conversation { // nothing is left out for those who are told of it
			from = min(from, s.sequence[d])
		}
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.awaited = nil
		s.mu.Unlock()
	}()
	if err := l.sendRequest(ctx, "ms.SubscribeMessagingEvents", map[string]any{"fromSeq": from, "dialogId": w.conversation}, nil); err != nil {
		return false, err
	}
	timer := time.NewTimer(deliveryWait)
	defer timer.Stop()
	select {
	case <-w.found:
		return true, nil
	case <-timer.C:
		return false, nil
	case <-l.lost:
		return false, errConnectionLost
	case <-ctx.Done():
		return false, context.Cause(ctx)
	}
}

// matchChanges looks at the lines of a notification for one that is sought. The socket's
// mutex is held.
func (w *pendingMessage) matchChanges(all []messageChange) {
	for _, c := range all {
		if c.Dialog != w.conversation {
			continue
		}
		ours := c.Event.Type == "ContentEvent" && c.plainText() == w.text && (c.Metadata.Role == "" || c.Metadata.Role == "CONSUMER")
		late := c.Sequence >= w.firstSequence && (w.firstSequence > 0 || !time.UnixMilli(c.Milliseconds).Before(w.notBefore))
		if ours && late && !isClosed(w.found) {
			w.sequence = c.Sequence
			close(w.found)
		}
	}
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// withConnection does something on a connection, and on the next where that one was lost or
// gave no answer, as often as the client's persistence says. What it does must bear
// being done twice.
func (s *Socket) withConnection(ctx context.Context, do func(*connection) error) error {
	for attempt := 1; ; attempt++ {
		l, err := s.waitForConnection(ctx)
		if err != nil {
			return err
		}
		err = do(l)
		_, broken := errors.AsType[*noResponseError](err)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errClosing): // nothing was tried
			attempt--
		case broken:
			l.abort(ctx)
		case !errors.Is(err, errConnectionLost) && !errors.Is(err, errTimedOut):
			return err
		}
		if p := s.client.cfg.Retry; attempt > 0 && (p == NoRetry || p == RetryThreeTimes && attempt > len(threePauses())) {
			return err
		}
	}
}
