package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"time"
)

// AddNext publishes a key that will sign next. It returns false if there is a next key
// already. Promote it only when every client has had time to read it.
func (r *Ring) AddNext(ctx context.Context, algorithm string) (bool, error) {
	added, err := r.createKey(ctx, algorithm, Next)
	if err != nil {
		return false, err
	}
	return added, r.Reload(ctx)
}

// Promote makes the next key active and the active key retiring, both or neither. It
// returns false if there was no next key at the last Reload, or if another instance was
// faster.
func (r *Ring) Promote(ctx context.Context, algorithm string) (bool, error) {
	next := ""
	for _, p := range r.PublicKeys() {
		if p.Algorithm == algorithm && p.State == Next {
			next = p.ID
		}
	}
	if next == "" {
		return false, nil
	}
	moved, err := r.cfg.Store.RotateKeys(ctx, next, r.ActiveKey(algorithm).ID, r.cfg.Now())
	if err != nil {
		return false, fmt.Errorf("promote signing key %s: %w", next, err)
	}
	return moved, r.Reload(ctx)
}

// InUseError means that a key may still have signed a token that has not expired.
type InUseError struct {
	ID    string
	Until time.Time // when the last token has expired
}

// Error implements error.
func (e *InUseError) Error() string {
	until := e.Until.UTC().Format("2006-01-02 15:04:05 UTC")
	return fmt.Sprintf("tokens that key %s signed are valid until %s", e.ID, until)
}

// pickUpTime is how long after a change another instance may have signed with the old key:
// a request in progress, and clocks that differ.
const pickUpTime = time.Minute

// Remove removes a retiring key, so that its signatures no longer verify. It returns
// false if no retiring key has that id: keys in another state cannot be removed. It
// fails with ErrPinned if the key is pinned, and with InUseError if tokens that it signed
// may not have expired.
func (r *Ring) Remove(ctx context.Context, id string) (bool, error) {
	if err := r.Reload(ctx); err != nil && !errors.Is(err, errPinnedKeyLost) {
		return false, err
	}
	key, _ := r.Key(id)
	lifetime := time.Duration(0)
	if r.cfg.TokenLifetime > 0 {
		lifetime = r.cfg.TokenLifetime + pickUpTime
	}
	removed, err := false, ErrPinned
	if !slices.Contains(r.cfg.Pinned, id) {
		removed, err = r.cfg.Store.RemoveKey(ctx, id, r.cfg.Now().Add(-lifetime))
	}
	if errors.Is(err, ErrPinned) {
		return false, fmt.Errorf("remove signing key %s: %w; "+
			"remove pinned_key from the configuration and restart the server first", id, err)
	}
	if err != nil {
		return false, fmt.Errorf("remove signing key %s: %w", id, err)
	}
	if until := key.Changed.Add(lifetime); !removed && key.State == Retiring && r.cfg.Now().Before(until) {
		return false, &InUseError{ID: id, Until: until}
	}
	return removed, r.Reload(ctx)
}

// Withdraw removes a compromised key in any state at once, pinned or not. If the key is
// active, the next key becomes active first; without a next key, a new one does. Withdraw
// returns false if no key has that id. After an error it can be repeated.
func (r *Ring) Withdraw(ctx context.Context, id string) (bool, error) {
	if err := r.Reload(ctx); err != nil && !errors.Is(err, errPinnedKeyLost) {
		return false, err
	}
	key, ok := r.Key(id)
	if !ok {
		return false, nil
	}
	if key.State == Active {
		if _, err := r.AddNext(ctx, key.Algorithm); err != nil {
			return false, err
		}
		if _, err := r.Promote(ctx, key.Algorithm); err != nil {
			return false, err
		}
	}
	withdrawn, err := r.cfg.Store.WithdrawKey(ctx, id)
	if err != nil {
		return false, fmt.Errorf("withdraw signing key %s: %w", id, err)
	}
	if err := r.Reload(ctx); err != nil && !errors.Is(err, errPinnedKeyLost) {
		return withdrawn, err
	}
	return withdrawn, nil
}

// PinKeys records the pinned keys in the store, so that a process with another
// configuration cannot remove them. A server calls it when it starts.
func (r *Ring) PinKeys(ctx context.Context) error {
	if err := r.cfg.Store.PinKeys(ctx, r.cfg.Pinned, r.cfg.Now()); err != nil {
		return fmt.Errorf("pin signing keys: %w", err)
	}
	return nil
}

// createKey generates a key and stores it. It returns false if another key of the
// algorithm has that state.
func (r *Ring) createKey(ctx context.Context, algorithm string, state State) (bool, error) {
	private, err := r.cfg.generate(algorithm)
	if err != nil {
		return false, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	// A key of another kind would break the next Reload of every instance.
	if actual, err := algorithmFor(private.Public()); err != nil || actual != algorithm {
		return false, fmt.Errorf("generate %s key: the generated key is of another kind", algorithm)
	}
	id, err := computeThumbprint(private.Public())
	if err != nil {
		return false, err
	}
	sealed, err := encryptKey(r.cfg.Secret, id, private)
	if err != nil {
		return false, err
	}
	now := r.cfg.Now()
	added, err := r.cfg.Store.AddKey(ctx, Record{
		ID: id, Algorithm: algorithm, State: state, Sealed: sealed, Created: now, Changed: now,
	})
	if err != nil {
		return false, fmt.Errorf("store signing key: %w", err)
	}
	return added, nil
}

func generateKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RS256":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("algorithm %q is neither RS256 nor ES256", algorithm)
}
