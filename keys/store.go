package keys

import (
	"context"
	"errors"
	"time"
)

// State is the state of a signing key: next, active or retiring. A removed key has no
// record.
type State string

// The states of a key. Keys are published in all of them.
const (
	Next     State = "next"     // does not sign yet
	Active   State = "active"   // signs
	Retiring State = "retiring" // no longer signs, but its signatures still verify
)

// Record is a stored signing key. The private key is encrypted.
type Record struct {
	ID        string    // kid: the key's RFC 7638 thumbprint
	Algorithm string    // RS256 or ES256
	State     State     //
	Sealed    string    // PKCS #8, encrypted with the instance secret (JWE compact)
	Created   time.Time //
	Changed   time.Time // time of the last change of State
}

// Store stores signing keys. Each method is atomic.
type Store interface {
	// Keys returns all keys, oldest first.
	Keys(ctx context.Context) ([]Record, error)
	// AddKey adds a key in state Next or Active. It returns false if another key of
	// the algorithm has that state.
	AddKey(ctx context.Context, r Record) (bool, error)
	// RotateKeys moves one key from Next to Active and another from Active to
	// Retiring, both or neither. It returns false if either has another state.
	RotateKeys(ctx context.Context, next, active string, at time.Time) (bool, error)
	// RemoveKey removes a Retiring key that was not changed after that time. It returns
	// false if there is none with that id, and ErrPinned if the key is pinned.
	RemoveKey(ctx context.Context, id string, unchangedSince time.Time) (bool, error)
	// WithdrawKey removes a Next or Retiring key, and its pin if it is pinned. It
	// returns false if there is none with that id.
	WithdrawKey(ctx context.Context, id string) (bool, error)
	// KeyStates returns the states of all keys by id. It is called for every signature.
	KeyStates(ctx context.Context) (map[string]State, error)
	// PinKeys replaces the recorded list of pinned keys. A Retiring key that is no
	// longer pinned counts as changed at that time, because it may have signed until then.
	PinKeys(ctx context.Context, ids []string, at time.Time) error
}

// ErrPinned means that a key is pinned: it was pasted into a client's configuration.
var ErrPinned = errors.New("a client pins this key")
