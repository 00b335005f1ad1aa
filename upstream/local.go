package upstream

import (
	"context"
	"errors"
	"fmt"

	"idpbridge/claims"
	"idpbridge/internal/normalize"
	"idpbridge/internal/password"
)

// Local is the local directory: accounts with passwords in our own database. It is
// safe for concurrent use.
type Local struct {
	people People
	work   work
	queue  *queue
	// matches is password.PHC.Matches; tests count its calls.
	matches func(hash password.PHC, plain string) bool
}

// NewLocal returns a directory that compares at most so many passwords at the same
// time, and at least one. Each comparison needs 19 MiB of memory, or what the most
// expensive stored hash asks for.
func NewLocal(people People, comparisons int) *Local {
	return &Local{people: people, queue: newQueue(comparisons), matches: password.PHC.Matches}
}

// Authenticate returns the person with this username and password, or ErrRefused. Case
// and space around the username don't matter, nor does how Unicode characters are
// composed. A username that doesn't exist or has no password takes as long as a wrong
// password, whatever the hashes cost. So does a password that is longer than
// password.MaxLength, which is always wrong.
//
// Authenticate waits until a comparison may start; the addresses of callers take turns. If
// too many wait, it returns ErrBusy; if ctx ends before that, the context's error. It then
// calls allowed, which is required, and returns its error unchanged. So parallel guesses
// can exceed a throttle by at most one for each comparison that runs at the same time.
func (l *Local) Authenticate(
	ctx context.Context, address, username, plain string, allowed func() error,
) (claims.Person, error) {
	if err := l.queue.enter(ctx, address); err != nil {
		return claims.Person{}, err
	}
	defer l.queue.leave()
	if err := allowed(); err != nil {
		return claims.Person{}, err
	}
	account, err := l.people.AccountByUsername(ctx, normalize.Username(username))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return claims.Person{}, fmt.Errorf("find account: %w", err)
	}
	plain = normalize.Password(plain)
	var hash password.PHC
	known := false
	if err == nil && account.PasswordHash != "" && len(plain) <= password.MaxLength {
		if hash, err = password.Parse(account.PasswordHash); err != nil {
			return claims.Person{}, fmt.Errorf("password of %s: %w", account.Person.Subject, err)
		}
		known = true
	}
	matches := l.compareAll(hash, plain[:min(len(plain), password.MaxLength)]) // also if the account isn't known
	if !matches || !known {
		return claims.Person{}, ErrRefused
	}
	return account.Person, nil
}

// Expect prepares for a stored hash: every later comparison takes as long as one with the
// most expensive of them. Strings that are not hashes are ignored.
func (l *Local) Expect(hash string) {
	if h, err := password.Parse(hash); err == nil {
		l.work.include(h.Cost())
	}
}

// compareAll compares a password with the hash of an account, and spends the rest of the
// usual work. The zero hash, of an unknown account, matches nothing.
func (l *Local) compareAll(hash password.PHC, plain string) bool {
	matches := false
	for _, h := range l.work.hashes(hash) {
		if l.matches(h, plain) && h.String() == hash.String() {
			matches = true
		}
	}
	return matches
}
