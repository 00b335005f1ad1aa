package sim

// Bounds of sockets and of what goes through them at once.
const (
	maxSockets    = 500
	maxOwnSockets = 20 // of one consumer
	maxPage       = 50 // lines of one notification
	maxPageText   = 16 << 10
)

// enter counts a socket in, before anybody knows whose it is.
func (s *Simulator) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entered >= maxSockets {
		return false
	}
	s.entered++
	return true
}

func (s *Simulator) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entered--
}

// join makes the socket its consumer's. It is false where they have too many.
func (k *socket) join() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	own := k.sockets[k.who.Subject]
	if len(own) >= maxOwnSockets {
		return false
	}
	if own == nil {
		own = map[*socket]bool{}
		k.sockets[k.who.Subject] = own
	}
	own[k] = true
	k.consumers.use(k.who.Subject)
	return true
}

func (k *socket) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	own := k.sockets[k.who.Subject]
	delete(own, k)
	if len(own) == 0 {
		delete(k.sockets, k.who.Subject)
	}
}

// owns says whether a conversation is the socket's consumer's.
func (k *socket) owns(id string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.talks.get(id)
	return ok && t.Consumer == k.who.Subject
}

// follow has the socket told of a conversation, and of its lines from a sequence on.
// It is false for the conversations of others.
func (k *socket) follow(id string, from int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	t, ok := k.talks.get(id)
	if !ok || t.Consumer != k.who.Subject {
		return false
	}
	from = min(from, t.Next)
	if told, ok := k.told[id]; ok {
		from = min(from, told) // what is under way is not left out
	}
	k.told[id] = from
	k.poke()
	return true
}

// poke has the writer look for lines to tell.
func (k *socket) poke() {
	select {
	case k.news <- struct{}{}:
	default: // it will look
	}
}

// page is a notification of the next lines of some conversation; nil: all is told.
func (k *socket) page() []byte {
	id, lines := k.untold()
	if len(lines) == 0 {
		return nil
	}
	return notification(id, lines)
}

func (k *socket) untold() (string, []line) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, next := range k.told {
		t, ok := k.talks.get(id)
		if !ok || t.Consumer != k.who.Subject {
			delete(k.told, id)
			continue
		}
		var out []line
		size := 0
		for _, l := range t.Lines {
			if l.Sequence < next {
				continue
			}
			if size += len(l.Text); len(out) == maxPage || len(out) > 0 && size > maxPageText {
				break
			}
			out = append(out, l)
		}
		if len(out) > 0 {
			k.told[id] = out[len(out)-1].Sequence + 1
			return id, out
		}
	}
	return "", nil
}
