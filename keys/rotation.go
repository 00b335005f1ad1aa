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

// Remove removes a retiring key, so that its signatures no longer verify. It returns
// false if no retiring key has that id: keys in another state cannot be removed. It
// fails with ErrPinned if the key is pinned.
func (r *Ring) Remove(ctx context.Context, id string) (bool, error) {
	removed, err := false, ErrPinned
	if !slices.Contains(r.cfg.Pinned, id) {
		removed, err = r.cfg.Store.RemoveKey(ctx, id)
	}
	if errors.Is(err, ErrPinned) {
		return false, fmt.Errorf("remove signing key %s: %w; "+
			"remove pinned_key from the configuration and restart the server first", id, err)
	}
	if err != nil {
		return false, fmt.Errorf("remove signing key %s: %w", id, err)
	}
	return removed, r.Reload(ctx)
}

// PinKeys records the pinned keys in the store, so that a process with another
// configuration cannot remove them. A server calls it when it starts.
func (r *Ring) PinKeys(ctx context.Context) error {
	if err := r.cfg.Store.PinKeys(ctx, r.cfg.Pinned); err != nil {
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
