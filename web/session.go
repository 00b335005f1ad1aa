package web

import (
	"context"
	"errors"
	"time"

	"idpbridge/claims"
)

// ErrNoSession says that a session does not exist, has ended or has expired,
// or that its person is gone.
var ErrNoSession = errors.New("no session")

// Session is one browser in which one person is signed in.
type Session struct {
	ID         string    // 128 random bits, base64url; public: the claim sid
	SecretHash string    // base64url SHA-256 of the secret in the cookie
	Subject    string    //
	ACR        string    // how strongly the person proved who they are
	AMR        []string  // by which means (RFC 8176)
	AuthTime   time.Time // when they last proved it
	Created    time.Time //
	Seen       time.Time // last use, exact to a minute or so
	Expires    time.Time // when it ends unless used before: idle lifetime
	Ends       time.Time // when it ends whatever happens: absolute lifetime
}

// Sessions keeps sessions. Each method is one atomic step; store implements it.
type Sessions interface {
	// StartSession records a new session.
	StartSession(ctx context.Context, s Session) error
	// FindSession returns the session that has not expired at the given time and
	// the person as known now, or ErrNoSession.
	FindSession(ctx context.Context, id string, at time.Time) (Session, claims.Person, error)
	// RenewSession replaces secret, ACR, AMR, AuthTime, Seen, Expires and Ends of
	// the session with the same id whose secret hash is still old; otherwise
	// ErrNoSession and nothing changes.
	RenewSession(ctx context.Context, old string, s Session) error
	// TouchSession moves Seen and Expires forward; an ended session stays ended.
	TouchSession(ctx context.Context, id string, seen, expires time.Time) error
	// EndPastSession is EndSession for one that has expired, or is gone but for the
	// sign-ins that outlive it, and was that subject's. One that is still open, or
	// somebody else's, stays as it is.
	EndPastSession(ctx context.Context, id, subject string, at time.Time) (clients []string, err error)
	// InheritSession moves what outlives an expired session of a subject, and the
	// notes about its clients, to a new session of the same subject. One that is
	// still open, or somebody else's, stays as it is.
	InheritSession(ctx context.Context, from, to, subject string, at time.Time) error
	// EndSession removes the session, closes every sign-in answered from it, and
	// queues a logout for every client that joined it. It returns these clients'
	// ids, sorted. Ending one that is unknown is no error.
	EndSession(ctx context.Context, id string, at time.Time) (clients []string, err error)
}
