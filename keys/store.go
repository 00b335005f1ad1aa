package keys

import (
	"context"
	"errors"
	"time"
)

// State is where a signing key stands in its life: next, active, retiring.
// A key that is gone has no record.
type State string

// The states of a key. It is published in all of them.
const (
	Next     State = "next"     // published, does not sign yet
	Active   State = "active"   // signs
	Retiring State = "retiring" // signs no more, still verifies
)

// Record is a signing key as it is kept: the private part only encrypted.
type Record struct {
	ID        string    // kid: the key's RFC 7638 thumbprint
	Algorithm string    // RS256 or ES256
	State     State     //
	Sealed    string    // PKCS #8, encrypted with the instance secret (JWE compact)
	Created   time.Time //
	Changed   time.Time // when it came into its state
}

// Store keeps signing keys. Each method is one atomic step.
type Store interface {
	// Keys returns all keys, oldest first.
	Keys(ctx context.Context) ([]Record, error)
	// AddKey adds a key in state Next or Active, unless another key of its
	// algorithm is in that state already: then it returns false.
	AddKey(ctx context.Context, r Record) (bool, error)
	// RotateKeys moves one key from Next to Active and another from Active to
	// Retiring, both or neither; false when either was not in that state.
	RotateKeys(ctx context.Context, next, active string, at time.Time) (bool, error)
	// RemoveKey forgets a Retiring key; false when there is none of that id, and
	// ErrPinned when it is one of PinKeys.
	RemoveKey(ctx context.Context, id string) (bool, error)
	// PinKeys records which keys are pinned, in the place of what was recorded before.
	PinKeys(ctx context.Context, ids []string) error
}

// ErrPinned says that a key is pinned: somebody has pasted it elsewhere.
var ErrPinned = errors.New("a client pins this key")
