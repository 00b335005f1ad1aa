// Package upstream knows who vouches for a person. Today that is the local
// directory; read local.go first.
package upstream

import (
	"context"
	"errors"
	"time"

	"idpbridge/claims"
)

var (
	// ErrNotFound says that the directory has nobody by that name.
	ErrNotFound = errors.New("no such person")
	// ErrRefused says that name and password do not belong together. It does not
	// say, and takes the same time to say, whether the name exists.
	ErrRefused = errors.New("name or password is wrong")
)

// Account is somebody in the local directory.
type Account struct {
	Username     string // lower case, no space around it; unique
	PasswordHash string // argon2id in PHC form; empty: cannot sign in by password
	Person       claims.Person
}

// People is the local directory's table; store implements it.
type People interface {
	// AccountByUsername returns the account of that name, or ErrNotFound.
	AccountByUsername(ctx context.Context, username string) (Account, error)
	// ReplacePeople makes the directory hold exactly these accounts, in one step:
	// others are removed, and with them their sessions and sign-ins. An account
	// whose password hash changed loses its sessions and sign-ins too. Sessions
	// end at the given time.
	ReplacePeople(ctx context.Context, accounts []Account, at time.Time) error
}
