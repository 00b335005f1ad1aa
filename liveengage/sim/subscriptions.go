package sim

// Bounds of sockets and of what goes through them at once.
const (
	maxSockets          = 500
	maxOwnSockets       = 20 // of one consumer
	maxNotification     = 50 // lines of one notification
	maxNotificationText = 16 << 10
)

// acquireSocket counts a socket in, before anybody knows whose it is.
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

// register makes the socket its consumer's. It is false where they have too many.
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

// ownsConversation says whether a conversation is the socket's consumer's.
func (k *socket) ownsConversation(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.conversations.get(id)
	return ok && t.Consumer == k.claims.Subject
}

// subscribe has the socket told of a conversation, and of its lines from a sequence on.
// It is false for the conversations of others.
func (k *socket) subscribe(id string, from int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.conversations.get(id)
	if !ok || t.Consumer != k.claims.Subject {
		return false
	}
	from = min(from, t.NextSequence)
	if told, ok := k.nextSequences[id]; ok {
		from = min(from, told) // what is under way is not left out
	}
	k.nextSequences[id] = from
	k.wakeWriter()
	return true
}

// wakeWriter has the writer look for lines to tell.
func (k *socket) wakeWriter() {
	select {
	case k.wakeUp <- struct{}{}:
	default: // it will look
	}
}

// nextNotification is a notification of the next lines of some conversation; nil: all is told.
func (k *socket) nextNotification() []byte {
	id, lines := k.unsentMessages()
	if len(lines) == 0 {
		return nil
	}
	return encodeNotification(id, lines)
}

func (k *socket) unsentMessages() (string, []message) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, next := range k.nextSequences {
		t, ok := k.conversations.get(id)
		if !ok || t.Consumer != k.claims.Subject {
			delete(k.nextSequences, id)
			continue
		}
		var out []message
		size := 0
		for _, l := range t.Messages {
			if l.Sequence < next {
				continue
			}
			if size += len(l.Text); len(out) == maxNotification || len(out) > 0 && size > maxNotificationText {
				break
			}
			out = append(out, l)
		}
		if len(out) > 0 {
			k.nextSequences[id] = out[len(out)-1].Sequence + 1
			return id, out
		}
	}
	return "", nil
}
