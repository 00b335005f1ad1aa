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

// AddNext publishes a key that will sign next. It returns false where one
// waits already. Promote it only when every client has had time to read it.
func (r *Ring) AddNext(ctx context.Context, algorithm string) (bool, error) {
	added, err := r.add(ctx, algorithm, Next)
	if err != nil {
		return false, err
	}
	return added, r.Reload(ctx)
}

// Promote lets the next key sign and the active one retire, both or neither.
// It returns false where no key waits, as far as the last Reload has seen, or
// where another instance was faster.
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

// Remove forgets a retiring key: what it signed verifies no longer. It returns
// false, and nothing happens, where the kid is that of no retiring key: a key
// that signs or will sign cannot be forgotten. A pinned key is an error.
func (r *Ring) Remove(ctx context.Context, id string) (bool, error) {
	gone, err := false, ErrPinned
	if !slices.Contains(r.cfg.Pinned, id) {
		gone, err = r.cfg.Store.RemoveKey(ctx, id)
	}
	if errors.Is(err, ErrPinned) {
		return false, fmt.Errorf("retire signing key %s: %w; take pinned_key out of the configuration and restart the server first", id, err)
	}
	if err != nil {
		return false, fmt.Errorf("retire signing key %s: %w", id, err)
	}
	return gone, r.Reload(ctx)
}

// PinKeys records the pinned keys in the store, so that nobody who has another
// configuration forgets one of them. A server calls it when it starts.
func (r *Ring) PinKeys(ctx context.Context) error {
	if err := r.cfg.Store.PinKeys(ctx, r.cfg.Pinned); err != nil {
		return fmt.Errorf("pin signing keys: %w", err)
	}
	return nil
}

// add makes a key and keeps it, unless the state is taken.
func (r *Ring) add(ctx context.Context, algorithm string, state State) (bool, error) {
	private, err := r.cfg.Generate(algorithm)
	if err != nil {
		return false, fmt.Errorf("make %s key: %w", algorithm, err)
	}
	// A key that does not fit would stop every instance at its next Reload.
	if made, err := algorithmOf(private.Public()); err != nil || made != algorithm {
		return false, fmt.Errorf("make %s key: the key made is of another kind", algorithm)
	}
	id, err := thumbprint(private.Public())
	if err != nil {
		return false, err
	}
	sealed, err := seal(r.cfg.Secret, id, private)
	if err != nil {
		return false, err
	}
	now := r.cfg.Now()
	added, err := r.cfg.Store.AddKey(ctx, Record{ID: id, Algorithm: algorithm, State: state, Sealed: sealed, Created: now, Changed: now})
	if err != nil {
		return false, fmt.Errorf("keep signing key: %w", err)
	}
	return added, nil
}

func generate(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "RS256":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("algorithm %q is neither RS256 nor ES256", algorithm)
}
