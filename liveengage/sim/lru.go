package sim

import "slices"

// lruCache keeps a limited number of items by key and drops the least recently used. It
// is not safe for concurrent use; the Simulator's mutex guards it.
type lruCache[T any] struct {
	limit int
	keys  []string // least recently used first
	items map[string]T
}

func newLRUCache[T any](limit int) *lruCache[T] {
	return &lruCache[T]{limit: limit, items: map[string]T{}}
}

// put adds or replaces an item, as the most recently used.
func (s *lruCache[T]) put(key string, item T) {
	s.remove(key)
	if len(s.keys) == s.limit {
		delete(s.items, s.keys[0])
		s.keys = slices.Delete(s.keys, 0, 1)
	}
	s.keys = append(s.keys, key)
	s.items[key] = item
}

// touch returns an item and marks it as used.
func (s *lruCache[T]) touch(key string) (T, bool) {
	item, ok := s.items[key]
	if ok {
		s.put(key, item)
	}
	return item, ok
}

// get returns an item without marking it as used.
func (s *lruCache[T]) get(key string) (T, bool) {
	item, ok := s.items[key]
	return item, ok
}

func (s *lruCache[T]) remove(key string) {
	delete(s.items, key)
	s.keys = slices.DeleteFunc(s.keys, func(k string) bool { return k == key })
}

// newestFirst returns all items, the most recently used first.
func (s *lruCache[T]) newestFirst() []T {
	out := make([]T, 0, len(s.keys))
	for _, key := range slices.Backward(s.keys) {
		out = append(out, s.items[key])
	}
	return out
}
