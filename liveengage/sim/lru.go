package sim

import (
	"maps"
	"slices"
	"time"
)

// lruCache keeps so many things by their key; the one that was not used for longest
// falls off. It is
// not safe for concurrent use: the Simulator's mutex guards each.
type lruCache[T any] struct {
	limit int
	keys  []string // unused for longest first
	items map[string]T
}

func newLRUCache[T any](most int) *lruCache[T] {
	return &lruCache[T]{limit: most, items: map[string]T{}}
}

// put adds or replaces, as the newest.
func (s *lruCache[T]) put(key string, item T) {
	s.remove(key)
	if len(s.keys) == s.limit {
		delete(s.items, s.keys[0])
		s.keys = slices.Delete(s.keys, 0, 1)
	}
	s.keys = append(s.keys, key)
	s.items[key] = item
}

// touch is get for who goes on with the thing: it becomes the newest.
func (s *lruCache[T]) touch(key string) (T, bool) {
	item, ok := s.items[key]
	if ok {
		s.put(key, item)
	}
	return item, ok
}

func (s *lruCache[T]) get(key string) (T, bool) {
	item, ok := s.items[key]
	return item, ok
}

func (s *lruCache[T]) remove(key string) {
	delete(s.items, key)
	s.keys = slices.DeleteFunc(s.keys, func(k string) bool { return k == key })
}

// newestFirst lists everything, what was used last first.
func (s *lruCache[T]) newestFirst() []T {
	out := make([]T, 0, len(s.keys))
	for _, key := range slices.Backward(s.keys) {
		out = append(out, s.items[key])
	}
	return out
}

// nonceStore remembers what may come once, until the time after which it is refused
// anyway. When it is full it takes nothing more: a nonce that was forgotten could be
// used again. The Simulator's mutex guards it.
type nonceStore struct {
	limit    int
	expiries map[string]time.Time
}

// addNonce is true for what is new; full says that it cannot be told.
func (o *nonceStore) addNonce(text string, now, until time.Time) (fresh, full bool) {
	if seen, ok := o.expiries[text]; ok && !now.After(seen) {
		return false, false
	}
	if len(o.expiries) >= o.limit {
		maps.DeleteFunc(o.expiries, func(_ string, until time.Time) bool { return now.After(until) })
	}
	if len(o.expiries) >= o.limit {
		return false, true
	}
	o.expiries[text] = until
	return true, false
}
