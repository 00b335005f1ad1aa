package sim

import (
	"maps"
	"slices"
	"time"
)

// shelf keeps so many things by their key; the one that was not used for longest
// falls off. It is
// not safe for concurrent use: the Simulator's mutex guards each.
type shelf[T any] struct {
	most  int
	keys  []string // unused for longest first
	items map[string]T
}

func newShelf[T any](most int) *shelf[T] { return &shelf[T]{most: most, items: map[string]T{}} }

// put adds or replaces, as the newest.
func (s *shelf[T]) put(key string, item T) {
	s.remove(key)
	if len(s.keys) == s.most {
		delete(s.items, s.keys[0])
		s.keys = slices.Delete(s.keys, 0, 1)
	}
	s.keys = append(s.keys, key)
	s.items[key] = item
}

// use is get for who goes on with the thing: it becomes the newest.
func (s *shelf[T]) use(key string) (T, bool) {
	item, ok := s.items[key]
	if ok {
		s.put(key, item)
	}
	return item, ok
}

func (s *shelf[T]) get(key string) (T, bool) {
	item, ok := s.items[key]
	return item, ok
}

func (s *shelf[T]) remove(key string) {
	delete(s.items, key)
	s.keys = slices.DeleteFunc(s.keys, func(k string) bool { return k == key })
}

// newest lists everything, what was used last first.
func (s *shelf[T]) newest() []T {
	out := make([]T, 0, len(s.keys))
	for _, key := range slices.Backward(s.keys) {
		out = append(out, s.items[key])
	}
	return out
}

// onceOnly remembers what may come once, until the time after which it is refused
// anyway. When it is full it takes nothing more: a nonce that was forgotten could be
// used again. The Simulator's mutex guards it.
type onceOnly struct {
	most  int
	until map[string]time.Time
}

// once is true for what is new; full says that it cannot be told.
func (o *onceOnly) once(text string, now, until time.Time) (fresh, full bool) {
	if seen, ok := o.until[text]; ok && !now.After(seen) {
		return false, false
	}
	if len(o.until) >= o.most {
		maps.DeleteFunc(o.until, func(_ string, until time.Time) bool { return now.After(until) })
	}
	if len(o.until) >= o.most {
		return false, true
	}
	o.until[text] = until
	return true, false
}
