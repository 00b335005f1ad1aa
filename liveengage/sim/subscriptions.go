package sim

// Limits for sockets and for what is sent over them at once.
const (
	maxSockets          = 500
	maxOwnSockets       = 20       // of one consumer
	maxNotification     = 50       // messages in a notification
	maxNotificationText = 16 << 10 // bytes of their text
)

// acquireSocket counts a new socket. It reports false if there are too many.
func (s *Simulator) acquireSocket() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.socketCount >= maxSockets {
		return false
	}
	s.socketCount++
	return true
}

func (s *Simulator) releaseSocket() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.socketCount--
}

// register adds the socket to its consumer's. It reports false if there are too many.
func (k *socket) register() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	own := k.sockets[k.claims.Subject]
	if len(own) >= maxOwnSockets {
		return false
	}
	if own == nil {
		own = map[*socket]bool{}
		k.sockets[k.claims.Subject] = own
	}
	own[k] = true
	k.consumers.touch(k.claims.Subject)
	return true
}

func (k *socket) unregister() {
	k.mu.Lock()
	defer k.mu.Unlock()
	own := k.sockets[k.claims.Subject]
	delete(own, k)
	if len(own) == 0 {
		delete(k.sockets, k.claims.Subject)
	}
}

// ownsConversation reports whether a conversation is the consumer's.
func (k *socket) ownsConversation(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.conversations.get(id)
	return ok && c.Consumer == k.claims.Subject
}

// subscribe sends the socket the messages of a conversation from a sequence number on.
// It reports false for the conversations of others.
func (k *socket) subscribe(id string, from int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	c, ok := k.conversations.get(id)
	if !ok || c.Consumer != k.claims.Subject {
		return false
	}
	from = min(from, c.NextSequence)
	if next, ok := k.nextSequences[id]; ok {
		from = min(from, next) // do not skip what is not sent yet
	}
	k.nextSequences[id] = from
	k.wakeWriter()
	return true
}

// wakeWriter makes the writer look for messages to send.
func (k *socket) wakeWriter() {
	select {
	case k.wakeUp <- struct{}{}:
	default: // it will look anyway
	}
}

// nextNotification returns the next messages of one conversation, or nil if all are
// sent.
func (k *socket) nextNotification() []byte {
	id, messages := k.unsentMessages()
	if len(messages) == 0 {
		return nil
	}
	return encodeNotification(id, messages)
}

func (k *socket) unsentMessages() (string, []message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, next := range k.nextSequences {
		c, ok := k.conversations.get(id)
		if !ok || c.Consumer != k.claims.Subject {
			delete(k.nextSequences, id)
			continue
		}
		var out []message
		size := 0
		for _, m := range c.Messages {
			if m.Sequence < next {
				continue
			}
			if size += len(m.Text); len(out) == maxNotification || len(out) > 0 && size > maxNotificationText {
				break
			}
			out = append(out, m)
		}
		if len(out) > 0 {
			k.nextSequences[id] = out[len(out)-1].Sequence + 1
			return id, out
		}
	}
	return "", nil
}
