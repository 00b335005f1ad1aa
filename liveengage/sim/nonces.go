package sim

import (
	"maps"
	"time"
)

// nonceStore remembers nonces until they are rejected for their age anyway. A full store
// accepts no more: a nonce that it forgot could be used again. The Simulator's mutex
// guards it.
type nonceStore struct {
	limit    int
	expiries map[string]time.Time
}

// addNonce adds a nonce. It reports whether the nonce is new, and whether the store is
// too full to tell.
func (n *nonceStore) addNonce(nonce string, now, expires time.Time) (fresh, full bool) {
	if seen, ok := n.expiries[nonce]; ok && !now.After(seen) {
		return false, false
	}
	if len(n.expiries) >= n.limit {
		maps.DeleteFunc(n.expiries, func(_ string, expires time.Time) bool { return now.After(expires) })
	}
	if len(n.expiries) >= n.limit {
		return false, true
	}
	n.expiries[nonce] = expires
	return true, false
}
