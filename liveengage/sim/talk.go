package sim

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"idpbridge/liveengage"
)

// talk is a conversation.
type talk struct {
	// The simulator's mutex guards every field.
	ID        string
	Consumer  string // subject
	Started   time.Time
	SteppedUp time.Time // when a visitor became somebody; zero: never
	Closed    bool
	Lines     []line
	Next      int  // sequence of the next line
	size      int  // bytes of all lines
	Kept      kept // of delegation in a conversation with a stranger
}

// line is one message.
type line struct {
	Sequence int
	Agent    bool
	Text     string
	At       time.Time
}

// open starts a conversation, or finds the one that the consumer has open.
func (s *Simulator) open(consumer string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consumers.use(consumer)
	for _, t := range s.talks.newest() {
		if t.Consumer == consumer && !t.Closed {
			s.talks.use(t.ID)
			return t.ID
		}
	}
	t := &talk{ID: uuid(), Consumer: consumer, Started: s.Now()}
	s.talks.put(t.ID, t)
	return t.ID
}

// say adds a line to a conversation and tells every socket of its consumer. It
// answers the line's sequence; false where the line cannot be taken.
func (s *Simulator) say(id, consumer string, agent bool, text string) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.talks.get(id)
	if !ok || t.Closed || text == "" || len(text) > maxLine || !utf8.ValidString(text) || !agent && t.Consumer != consumer {
		return 0, false
	}
	s.talks.use(id)
	s.consumers.use(t.Consumer)
	l := line{Sequence: t.Next, Agent: agent, Text: text, At: s.Now()}
	t.add(l)
	for socket := range s.sockets[t.Consumer] {
		socket.poke()
	}
	return l.Sequence, true
}

// add keeps a line. The oldest make room for it.
func (t *talk) add(l line) {
	t.Next++
	t.size += len(l.Text)
	drop := 0
	for ; len(t.Lines)-drop >= maxLines || t.size > maxTalk; drop++ {
		t.size -= len(t.Lines[drop].Text)
	}
	if drop > 0 {
		t.Lines = slices.Clone(t.Lines[drop:]) // lets go of what was dropped
	}
	t.Lines = append(t.Lines, l)
}

// close ends a conversation; what was kept for bots is forgotten.
func (s *Simulator) close(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.talks.get(id); ok {
		t.Closed, t.Kept = true, kept{}
		if p, ok := s.consumers.get(t.Consumer); ok {
			p.Kept = kept{}
		}
	}
}

// stepUp gives the conversations of a visitor to whoever the visitor turned out to
// be. Both tokens are LivePerson's own; the new one was made a moment ago.
func (s *Simulator) stepUp(visitor, token string) error {
	now, err := s.crypto.read(token)
	if err != nil {
		return err
	}
	before, err := s.crypto.read(visitor)
	if err != nil || before.Audience != now.Audience || before.Extension != nil {
		return fault(liveengage.CodeLPJWTNotValid, "step_up is not LivePerson's token of a visitor of this account, or is of a simulator that has stopped since")
	}
	for _, socket := range s.handOver(before.Subject, now.Subject) {
		go socket.expire() // the handshake may take a while
	}
	return nil
}

// handOver gives one consumer's conversations to another. It returns the sockets
// that the former still has: what is said from now on is not for them.
func (s *Simulator) handOver(from, to string) []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.talks.newest() {
		if t.Consumer == from {
			t.Consumer, t.SteppedUp = to, s.Now()
		}
	}
	s.consumers.remove(from)
	return slices.Collect(maps.Keys(s.sockets[from]))
}
