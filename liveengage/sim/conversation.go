package sim

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"idpbridge/liveengage"
)

// conversation is a conversation.
type conversation struct {
	// The simulator's mutex guards every field.
	ID           string
	Consumer     string // subject
	Started      time.Time
	SteppedUp    time.Time // when a visitor became somebody; zero: never
	Closed       bool
	Messages     []message
	NextSequence int       // sequence of the next line
	size         int       // bytes of all lines
	BotTokens    botTokens // of delegation in a conversation with a stranger
}

// message is one message.
type message struct {
	Sequence int
	Agent    bool
	Text     string
	At       time.Time
}

// openConversation starts a conversation, or finds the one that the consumer has open.
func (s *Simulator) openConversation(consumer string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consumers.touch(consumer)
	for _, t := range s.conversations.newestFirst() {
		if t.Consumer == consumer && !t.Closed {
			s.conversations.touch(t.ID)
			return t.ID
		}
	}
	t := &conversation{ID: newUUID(), Consumer: consumer, Started: s.Now()}
	s.conversations.put(t.ID, t)
	return t.ID
}

// addMessage adds a line to a conversation and tells every socket of its consumer. It
// answers the line's sequence; false where the line cannot be taken.
func (s *Simulator) addMessage(id, consumer string, agent bool, text string) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.conversations.get(id)
	if !ok || t.Closed || text == "" || len(text) > maxMessage || !utf8.ValidString(text) || !agent && t.Consumer != consumer {
		return 0, false
	}
	s.conversations.touch(id)
	s.consumers.touch(t.Consumer)
	l := message{Sequence: t.NextSequence, Agent: agent, Text: text, At: s.Now()}
	t.appendMessage(l)
	for socket := range s.sockets[t.Consumer] {
		socket.wakeWriter()
	}
	return l.Sequence, true
}

// appendMessage keeps a line. The oldest make room for it.
func (t *conversation) appendMessage(l message) {
	t.NextSequence++
	t.size += len(l.Text)
	drop := 0
	for ; len(t.Messages)-drop >= maxMessages || t.size > maxConversationText; drop++ {
		t.size -= len(t.Messages[drop].Text)
	}
	if drop > 0 {
		t.Messages = slices.Clone(t.Messages[drop:]) // lets go of what was dropped
	}
	t.Messages = append(t.Messages, l)
}

// closeConversation ends a conversation; what was kept for bots is forgotten.
func (s *Simulator) closeConversation(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t, ok := s.conversations.get(id); ok {
		t.Closed, t.BotTokens = true, botTokens{}
		if p, ok := s.consumers.get(t.Consumer); ok {
			p.BotTokens = botTokens{}
		}
	}
}

// stepUp gives the conversations of a visitor to whoever the visitor turned out to
// be. Both tokens are LivePerson's own; the new one was made a moment ago.
func (s *Simulator) stepUp(visitor, token string) error {
	now, err := s.keyring.readToken(token)
	if err != nil {
		return err
	}
	before, err := s.keyring.readToken(visitor)
	if err != nil || before.Audience != now.Audience || before.Extension != nil {
		return idpErrorf(liveengage.CodeLPJWTNotValid, "step_up is not LivePerson's token of a visitor of this account, or is of a simulator that has stopped since")
	}
	for _, socket := range s.moveConversations(before.Subject, now.Subject) {
		go socket.closeExpired() // the handshake may take a while
	}
	return nil
}

// moveConversations gives one consumer's conversations to another. It returns the sockets
// that the former still has: what is said from now on is not for them.
func (s *Simulator) moveConversations(from, to string) []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.conversations.newestFirst() {
		if t.Consumer == from {
			t.Consumer, t.SteppedUp = to, s.Now()
		}
	}
	s.consumers.remove(from)
	return slices.Collect(maps.Keys(s.sockets[from]))
}
