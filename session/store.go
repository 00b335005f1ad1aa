package session

import (
	"context"
	"errors"
	"time"

	"idpbridge/claims"
)

// ErrNotFound means that a session does not exist, has ended or has expired, or
// that its person no longer exists.
var ErrNotFound = errors.New("no session")

// Session is the row of one browser in which one person is signed in.
type Session struct {
	ID         string    // 128 random bits, base64url; public: the claim sid
	SecretHash string    // base64url SHA-256 of the secret in the cookie
	Subject    string    //
	ACR        string    // authentication context class of the last sign-in
	AMR        []string  // authentication methods (RFC 8176)
	AuthTime   time.Time // last sign-in
	Created    time.Time //
	Seen       time.Time // last use, exact to about a minute
	Expires    time.Time // end of the idle lifetime; moves with each use
	Ends       time.Time // end of the absolute lifetime
}

// Store keeps sessions. Each method is one atomic step. Package store implements it.
type Store interface {
	// StartSession records a new session.
	StartSession(ctx context.Context, s Session) error
	// FindSession returns the session if it has not expired at the given time, and
	// its person as currently known. Otherwise it returns ErrNotFound.
	FindSession(ctx context.Context, id string, at time.Time) (Session, claims.Person, error)
	// RenewSession replaces secret, ACR, AMR, AuthTime, Seen, Expires and Ends of
	// the session with the same id, if its secret hash is still oldHash. Otherwise it
	// returns ErrNotFound and changes nothing.
	RenewSession(ctx context.Context, oldHash string, s Session) error
	// TouchSession moves Seen and Expires forward. An ended session stays ended.
	TouchSession(ctx context.Context, id string, seen, expires time.Time) error
	// EndSession removes the session, closes every sign-in made from it, and
	// queues a logout for every client that joined it. It returns the ids of these
	// clients, sorted. Ending an unknown session is not an error.
	EndSession(ctx context.Context, id string, at time.Time) (clients []string, err error)
	// EndExpiredSession is EndSession for a session of the subject that has expired,
	// or that is gone except for sign-ins that outlive it. A session that is still
	// open or has another subject stays unchanged.
	EndExpiredSession(ctx context.Context, id, subject string, at time.Time) (clients []string, err error)
	// InheritSession moves the sign-ins that outlive an expired session, and the
	// list of its clients, to a new session of the same subject. A session that is
	// still open or has another subject stays unchanged.
	InheritSession(ctx context.Context, from, to, subject string, at time.Time) error
}
