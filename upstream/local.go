package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"idpbridge/claims"
	"idpbridge/internal/password"
)

// Local is the local directory: people who are rows of our own, with passwords.
// It is safe for concurrent use.
type Local struct {
	people People
	slots  chan struct{}
}

// NewLocal returns a directory that compares as many passwords at once as it
// has slots, at least one; each takes 19 MiB, or what the stored hash asks for.
func NewLocal(people People, slots int) *Local {
	return &Local{people: people, slots: make(chan struct{}, max(1, slots))}
}

// Authenticate returns the person to whom name and password belong, or
// ErrRefused. Case and space around the name do not matter. A name that does not
// exist, or has no password, costs the same time as a wrong password, provided
// the hashes cost what HashPassword makes them cost; and so does a password of
// more than 1024 bytes, which is never right. Where ctx ends while it waits for a
// slot, its error is returned. Allowed, which is required, is called when a comparison is about to start, and only as
// many run at once as there are slots, so guesses made side by side cannot slip
// past a throttle by more than one for each slot; its error is returned as it is.
func (l *Local) Authenticate(ctx context.Context, username, plain string, allowed func() error) (claims.Person, error) {
	if err := ctx.Err(); err != nil {
		return claims.Person{}, fmt.Errorf("wait for a password slot: %w", err) // select would choose at random
	}
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-ctx.Done():
		return claims.Person{}, fmt.Errorf("wait for a password slot: %w", ctx.Err())
	}
	if err := allowed(); err != nil {
		return claims.Person{}, err
	}
	account, err := l.people.AccountByUsername(ctx, strings.ToLower(strings.TrimSpace(username)))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return claims.Person{}, fmt.Errorf("find account: %w", err)
	}
	hash, known := password.Dummy(), false
	if err == nil && account.PasswordHash != "" && len(plain) <= password.MaxLength {
		if hash, err = password.Parse(account.PasswordHash); err != nil {
			return claims.Person{}, fmt.Errorf("password of %s: %w", account.Person.Subject, err)
		}
		known = true
	}
	if !hash.Matches(plain[:min(len(plain), password.MaxLength)]) || !known {
		return claims.Person{}, ErrRefused
	}
	return account.Person, nil
}
