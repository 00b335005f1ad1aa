package sim

import (
	"maps"
	"slices"
	"time"
	"unicode/utf8"

	"idpbridge/liveengage"
)

// conversation is a conversation of a consumer. The simulator's mutex guards it.
type conversation struct {
	ID           string
	Consumer     string // subject
	Started      time.Time
	SteppedUp    time.Time // when the visitor was authenticated; zero if never
	Closed       bool
	Messages     []message
	NextSequence int
	size         int       // bytes of all messages
	BotTokens    botTokens // of delegation in an anonymous conversation
}

type message struct {
	Sequence int
	Agent    bool
	Text     string
	At       time.Time
}

// openConversation starts a conversation, or returns the one the consumer has open.
func (s *Simulator) openConversation(consumer string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.consumers.touch(consumer)
	for _, c := range s.conversations.newestFirst() {
		if c.Consumer == consumer && !c.Closed {
			s.conversations.touch(c.ID)
			return c.ID
		}
	}
	c := &conversation{ID: newUUID(), Consumer: consumer, Started: s.Now()}
	s.conversations.put(c.ID, c)
	return c.ID
}

// addMessage adds a message to a conversation and wakes its consumer's sockets. It
// returns the message's sequence number, or false if the message is not accepted.
func (s *Simulator) addMessage(id, consumer string, agent bool, text string) (int, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.conversations.get(id)
	if !ok || c.Closed || !agent && c.Consumer != consumer {
		return 0, false
	}
	if text == "" || len(text) > maxMessage || !utf8.ValidString(text) {
		return 0, false
	}
	s.conversations.touch(id)
	s.consumers.touch(c.Consumer)
	m := message{Sequence: c.NextSequence, Agent: agent, Text: text, At: s.Now()}
	c.appendMessage(m)
	for socket := range s.sockets[c.Consumer] {
		socket.wakeWriter()
	}
	return m.Sequence, true
}

// appendMessage adds a message and drops the oldest ones to make room for it.
func (c *conversation) appendMessage(m message) {
	c.NextSequence++
	c.size += len(m.Text)
	drop := 0
	for ; len(c.Messages)-drop >= maxMessages || c.size > maxConversationText; drop++ {
		c.size -= len(c.Messages[drop].Text)
	}
	if drop > 0 {
		c.Messages = slices.Clone(c.Messages[drop:]) // frees what was dropped
	}
	c.Messages = append(c.Messages, m)
}

// closeConversation ends a conversation and forgets the tokens kept for bots.
func (s *Simulator) closeConversation(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.conversations.get(id); ok {
		c.Closed, c.BotTokens = true, botTokens{}
		if p, ok := s.consumers.get(c.Consumer); ok {
			p.BotTokens = botTokens{}
		}
	}
}

// stepUp gives a visitor's conversations to the consumer the visitor has signed in as.
// Both tokens are LivePerson's own; the new one was just issued.
func (s *Simulator) stepUp(visitorToken, newToken string) error {
	now, err := s.keyring.readToken(newToken)
	if err != nil {
		return err
	}
	before, err := s.keyring.readToken(visitorToken)
	if err != nil || before.Audience != now.Audience || before.Extension != nil {
		return idpErrorf(liveengage.CodeLPJWTNotValid,
			"step_up is not LivePerson's token of a visitor to this account, or the simulator was restarted since")
	}
	for _, socket := range s.moveConversations(before.Subject, now.Subject) {
		go socket.closeExpired() // the closing handshake may take a while
	}
	return nil
}

// moveConversations moves the conversations of one consumer to another. It returns the
// first consumer's sockets, which must not receive any more of them.
func (s *Simulator) moveConversations(from, to string) []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conversations.newestFirst() {
		if c.Consumer == from {
			c.Consumer, c.SteppedUp = to, s.Now()
		}
	}
	s.consumers.remove(from)
	return slices.Collect(maps.Keys(s.sockets[from]))
}
