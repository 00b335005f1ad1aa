// Package upstream verifies who a person is. Today there is one upstream, the local
// directory; read local.go first.
package upstream

import (
	"context"
	"errors"
	"iter"
	"time"

	"idpbridge/claims"
)

var (
	// ErrNotFound means that no account in the directory has the username.
	ErrNotFound = errors.New("no such account")
	// ErrRefused means that the username or the password is wrong. Neither the error
	// nor the time it takes says which.
	ErrRefused = errors.New("wrong username or password")
)

// Account is a person in the local directory.
type Account struct {
	Username     string // lower case, without space around it; unique
	PasswordHash string // argon2id in PHC form; without it, no sign-in by password
	Person       claims.Person
}

// People is the table of the local directory. Package store implements it.
type People interface {
	// AccountByUsername returns the account with a username, or ErrNotFound.
	AccountByUsername(ctx context.Context, username string) (Account, error)
	// ReplacePeople replaces all accounts in one step, but not the people of upstreams.
	// Accounts that are no longer there are removed with their sessions and sign-ins. An
	// account with a new password hash also loses its sessions and sign-ins. Sessions end
	// at the given time.
	ReplacePeople(ctx context.Context, accounts iter.Seq[Account], at time.Time) error
}

// Customers is the table of people who have signed in by an upstream. Package store
// implements it.
type Customers interface {
	// RecordPerson stores what an upstream says about a person, replacing what was known
	// before. A person of the people file stays as the file says. It is one atomic step.
	RecordPerson(ctx context.Context, upstream string, person claims.Person, at time.Time) error
}
