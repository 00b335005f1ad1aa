package sim

import "slices"

// shelf keeps the newest so many things by their key; the oldest falls off. It is
// not safe for concurrent use: the Simulator's mutex guards each.
type shelf[T any] struct {
	most  int
	keys  []string // oldest first
	items map[string]T
}

func newShelf[T any](most int) *shelf[T] { return &shelf[T]{most: most, items: map[string]T{}} }

// put adds or replaces; what is replaced keeps its age.
func (s *shelf[T]) put(key string, item T) {
	if _, ok := s.items[key]; !ok {
		if len(s.keys) == s.most {
			delete(s.items, s.keys[0])
			s.keys = slices.Delete(s.keys, 0, 1)
		}
		s.keys = append(s.keys, key)
	}
	s.items[key] = item
}

func (s *shelf[T]) get(key string) (T, bool) {
	item, ok := s.items[key]
	return item, ok
}

func (s *shelf[T]) remove(key string) {
	delete(s.items, key)
	s.keys = slices.DeleteFunc(s.keys, func(k string) bool { return k == key })
}

// newest lists everything, newest first.
func (s *shelf[T]) newest() []T {
	out := make([]T, 0, len(s.keys))
	for _, key := range slices.Backward(s.keys) {
		out = append(out, s.items[key])
	}
	return out
}
