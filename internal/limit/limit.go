// Package limit slows down repeated failures. The first failures of a key are free;
// after that, each one doubles the delay. Successful attempts don't count, and failures
// are forgotten after a while, so no one is locked out for good.
package limit

import (
	"container/list"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// Config configures a Limiter. Zero values mean the defaults in brackets.
type Config struct {
	Free   int              // failures before delays start [5]
	Delay  time.Duration    // delay after failure number Free; each further one doubles it [1 s]
	Max    time.Duration    // longest delay, at most Window [5 min]
	Window time.Duration    // a key is forgotten after this time without a failure [15 min]
	Size   int              // number of keys; the one that failed least recently is dropped first [100,000]
	Now    func() time.Time // required
}

// Limiter counts failures by key. It is safe for concurrent use. It needs about 200
// bytes per key, however long the keys are.
type Limiter struct {
	cfg Config

	mu     sync.Mutex
	keys   map[[16]byte]*list.Element
	recent *list.List // of *entry, latest failure first
}

type entry struct {
	key      [16]byte
	failures int
	last     time.Time
}

// New returns a Limiter. Config.Now is required.
func New(cfg Config) *Limiter {
	setDefault(&cfg.Free, 5)
	setDefault(&cfg.Size, 100_000)
	setDefault(&cfg.Delay, time.Second)
	setDefault(&cfg.Max, 5*time.Minute)
	setDefault(&cfg.Window, 15*time.Minute)
	cfg.Max = min(cfg.Max, cfg.Window) // or a key would be forgotten during its delay
	return &Limiter{cfg: cfg, keys: make(map[[16]byte]*list.Element), recent: list.New()}
}

func setDefault[T int | time.Duration](v *T, value T) {
	if *v <= 0 {
		*v = value
	}
}

// Wait returns how long the key must wait before its next attempt, or zero. It counts
// nothing.
func (l *Limiter) Wait(key string) time.Duration {
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) == 0 {
		return 0
	}
	element, ok := l.keys[hashKey(key)]
	if !ok {
		return 0
	}
	e := entryOf(element)
	if now.Sub(e.last) >= l.cfg.Window {
		l.dropEntry(element)
		return 0
	}
	return max(0, e.last.Add(l.delayAfter(e.failures)).Sub(now))
}

// delayAfter returns the delay after this many failures.
func (l *Limiter) delayAfter(failures int) time.Duration {
	over := failures - l.cfg.Free
	if over < 0 {
		return 0
	}
	d := l.cfg.Delay
	for range over {
		if d >= l.cfg.Max {
			return l.cfg.Max
		}
		d *= 2
	}
	return min(d, l.cfg.Max)
}

// Fail counts a failure of the key.
func (l *Limiter) Fail(key string) {
	now, hash := l.cfg.Now(), hashKey(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	if element, ok := l.keys[hash]; ok {
		e := entryOf(element)
		if now.Sub(e.last) >= l.cfg.Window {
			e.failures = 0
		}
		e.failures++
		e.last = now
		l.recent.MoveToFront(element)
		return
	}
	if len(l.keys) >= l.cfg.Size {
		l.dropEntry(l.recent.Back())
	}
	l.keys[hash] = l.recent.PushFront(&entry{key: hash, failures: 1, last: now})
}

// Forget clears the key's failures, after a successful attempt.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if element, ok := l.keys[hashKey(key)]; ok {
		l.dropEntry(element)
	}
}

func (l *Limiter) dropEntry(element *list.Element) {
	delete(l.keys, entryOf(element).key)
	l.recent.Remove(element)
}

func entryOf(element *list.Element) *entry {
	return element.Value.(*entry) //nolint:forcetypeassert // the list holds nothing else
}

// hashKey keeps memory bounded, because a key may contain what an unauthenticated
// client sends.
func hashKey(key string) [16]byte {
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}

// Address returns the key of an IP address: the address itself, or the /64 of an IPv6
// address, because one subscriber usually has a whole /64.
func Address(ip netip.Addr) string {
	if !ip.Is6() || ip.Is4In6() || ip.IsLoopback() {
		return ip.Unmap().String()
	}
	prefix, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return prefix.String()
}
