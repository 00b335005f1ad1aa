package server

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	sampleInterval = time.Second
	sampleFirst    = 5 // records of each message in an interval that are logged
	sampleMessages = 1000
)

// The informational messages that are limited too, because every caller can cause any
// number of them.
const (
	misdirectedMessage = "request misdirected"
	httpMessage        = "http server"
)

// sampling is a slog.Handler that limits warnings and errors: of each message, the first
// few in a second are logged. When there were more, the next one says how many. So a
// database that is down does not fill the disk with the log.
type sampling struct {
	slog.Handler

	seen *seenMessages
}

// seenMessages counts messages. All handlers made of one share it.
type seenMessages struct {
	mu    sync.Mutex
	since map[string]*messageCount
}

type messageCount struct {
	start      time.Time
	n, dropped int
}

func newSampling(next slog.Handler) slog.Handler {
	return &sampling{Handler: next, seen: &seenMessages{since: map[string]*messageCount{}}}
}

// Handle implements slog.Handler.
func (h *sampling) Handle(ctx context.Context, record slog.Record) error {
	if record.Level < slog.LevelWarn && record.Message != misdirectedMessage && record.Message != httpMessage {
		return h.Handler.Handle(ctx, record)
	}
	dropped, ok := h.seen.count(record.Message, record.Time)
	if !ok {
		return nil
	}
	if dropped > 0 {
		record = record.Clone()
		record.AddAttrs(slog.Int("dropped", dropped))
	}
	return h.Handler.Handle(ctx, record)
}

// count reports whether a record should be logged, and how many before it were not.
func (s *seenMessages) count(message string, at time.Time) (dropped int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.since[message]
	if c == nil {
		if len(s.since) >= sampleMessages { // messages are constant, so this does not happen
			clear(s.since)
		}
		c = &messageCount{start: at}
		s.since[message] = c
	}
	if at.Sub(c.start) >= sampleInterval {
		dropped = c.dropped
		*c = messageCount{start: at}
	}
	c.n++
	if c.n > sampleFirst {
		c.dropped++
		return 0, false
	}
	return dropped, true
}

// WithAttrs implements slog.Handler.
func (h *sampling) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &sampling{Handler: h.Handler.WithAttrs(attrs), seen: h.seen}
}

// WithGroup implements slog.Handler.
func (h *sampling) WithGroup(name string) slog.Handler {
	return &sampling{Handler: h.Handler.WithGroup(name), seen: h.seen}
}
