package sim

import (
	"time"
	"unicode/utf8"
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
	Kept      kept // of delegation in a conversation with a stranger
	sockets   map[chan []byte]bool
}

// line is one message.
type line struct {
	Sequence int
	Agent    bool
	Text     string
	At       time.Time
}

// open starts a conversation, or finds the one that the consumer has open.
func (s *Simulator) open(consumer string) *talk {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.talks.newest() {
		if t.Consumer == consumer && !t.Closed {
			return t
		}
	}
	t := &talk{ID: uuid(), Consumer: consumer, Started: s.Now(), sockets: map[chan []byte]bool{}}
	s.talks.put(t.ID, t)
	return t
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
	l := line{Sequence: t.Next, Agent: agent, Text: text, At: s.Now()}
	t.Next++
	if len(t.Lines) == maxLines {
		t.Lines = append(t.Lines[:0:0], t.Lines[1:]...)
	}
	t.Lines = append(t.Lines, l)
	frame := notification(t, []line{l})
	for socket := range t.sockets {
		select {
		case socket <- frame:
		default: // whoever reads so slowly asks for the lines again
		}
	}
	return l.Sequence, true
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
		return fault("9008", "step_up is not LivePerson's token of a visitor of this account, or is of a simulator that has stopped since")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.talks.newest() {
		if t.Consumer == before.Subject {
			t.Consumer, t.SteppedUp = now.Subject, s.Now()
		}
	}
	s.consumers.remove(before.Subject)
	return nil
}
