// Package limit slows down whoever fails: the first failures of a key are free,
// then each doubles the wait. It counts failures alone, so any number of good
// attempts pass, and it forgets, so nobody is locked out for good.
package limit

import (
	"container/list"
	"crypto/sha256"
	"net/netip"
	"sync"
	"time"
)

// Config is how a Limiter counts. Zero values mean the defaults in brackets.
type Config struct {
	Free   int              // attempts that may fail without a wait between them [5]
	Delay  time.Duration    // wait after the failure number Free; each further one doubles it [1 s]
	Max    time.Duration    // longest wait, at most Window [5 min]
	Window time.Duration    // a key without failure for so long is forgotten [15 min]
	Size   int              // keys kept; the one that failed longest ago goes first [100,000]
	Now    func() time.Time // required
}

// Limiter counts failures by key. It is safe for concurrent use, and its memory
// is bounded: about 200 bytes a key, however long the keys are.
type Limiter struct {
	cfg Config

	mu     sync.Mutex
	keys   map[[16]byte]*list.Element
	recent *list.List // of *record, latest failure first
}

type record struct {
	key      [16]byte
	failures int
	last     time.Time
}

// New returns a Limiter. Config.Now is required.
func New(cfg Config) *Limiter {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&cfg.Free, 5)
	orInt(&cfg.Size, 100_000)
	orTime(&cfg.Delay, time.Second)
	orTime(&cfg.Max, 5*time.Minute)
	orTime(&cfg.Window, 15*time.Minute)
	cfg.Max = min(cfg.Max, cfg.Window) // who waits is not forgotten meanwhile
	return &Limiter{cfg: cfg, keys: make(map[[16]byte]*list.Element), recent: list.New()}
}

// Wait is how long the key must wait before its next attempt; zero: go ahead. It
// counts nothing, so asking often costs nothing.
func (l *Limiter) Wait(key string) time.Duration {
	now := l.cfg.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.keys) == 0 {
		return 0
	}
	e, ok := l.keys[short(key)]
	if !ok {
		return 0
	}
	r := e.Value.(*record) //nolint:forcetypeassert // the list holds nothing else
	if now.Sub(r.last) >= l.cfg.Window {
		l.drop(e)
		return 0
	}
	return max(0, r.last.Add(l.delay(r.failures)).Sub(now))
}

// delay is the wait after so many failures.
func (l *Limiter) delay(failures int) time.Duration {
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
	now, k := l.cfg.Now(), short(key)
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.keys[k]; ok {
		r := e.Value.(*record) //nolint:forcetypeassert // the list holds nothing else
		if now.Sub(r.last) >= l.cfg.Window {
			r.failures = 0
		}
		r.failures++
		r.last = now
		l.recent.MoveToFront(e)
		return
	}
	if len(l.keys) >= l.cfg.Size {
		l.drop(l.recent.Back())
	}
	l.keys[k] = l.recent.PushFront(&record{key: k, failures: 1, last: now})
}

// Forget clears the key's failures: it has shown that it means well.
func (l *Limiter) Forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.keys[short(key)]; ok {
		l.drop(e)
	}
}

func (l *Limiter) drop(e *list.Element) {
	delete(l.keys, e.Value.(*record).key) //nolint:forcetypeassert // the list holds nothing else
	l.recent.Remove(e)
}

// short keeps memory bounded whatever a stranger sends as part of a key.
func short(key string) [16]byte {
	sum := sha256.Sum256([]byte(key))
	return [16]byte(sum[:16])
}

// Address is the key of an address: itself, or the /64 of an IPv6 address,
// which is what one subscriber has.
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
