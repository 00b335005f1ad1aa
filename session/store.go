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

	Upstream string // where the person authenticated; empty for the local directory
	// AuthTimeUnknown means that the upstream did not say when the person authenticated.
	// AuthTime is then when the browser came back from there.
	AuthTimeUnknown bool
	// Remote is stored with the session, but FindSession doesn't return it. It is nil for
	// the local directory.
	Remote *UpstreamSession
}

// UpstreamSession is what is kept of the session that an upstream has for the same browser.
// The tokens are encrypted, and empty if they are not kept.
type UpstreamSession struct {
	Upstream     string
	SubjectHash  string // hash of the upstream's name for the person
	SessionHash  string // hash of the upstream's claim sid; empty if it sent none
	IDToken      string // a hint for the upstream's sign-out
	RefreshToken string
	Refreshed    time.Time // when the person's attributes are from
}

// Store keeps sessions. Each method is one atomic step. Package store implements it.
type Store interface {
	// StartSession records a new session.
	StartSession(ctx context.Context, s Session) error
	// FindSession returns the session if it has not expired at the given time, and
	// its person as currently known. Otherwise it returns ErrNotFound.
	FindSession(ctx context.Context, id string, at time.Time) (Session, claims.Person, error)
	// RenewSession replaces everything but Created and Subject of the session with the
	// same id, if its secret hash is still oldHash. Otherwise it returns ErrNotFound and
	// changes nothing. Without a Remote it keeps the stored one.
	RenewSession(ctx context.Context, oldHash string, s Session) error
	// FindUpstreamSession returns the upstream session of an open session, or ErrNotFound.
	FindUpstreamSession(ctx context.Context, sessionID string) (UpstreamSession, error)
	// ReplaceUpstreamSession replaces the tokens of an upstream session if its refresh
	// token is still the given one, and reports whether it was: of several instances one
	// uses a refresh token.
	ReplaceUpstreamSession(ctx context.Context, sessionID, oldRefreshToken string, u UpstreamSession) (bool, error)
	// EndUpstreamSessions is EndSession for every session of an upstream with this session
	// hash or, if that is empty, this subject hash. It returns how many there were.
	EndUpstreamSessions(ctx context.Context, upstream, subjectHash, sessionHash string, at time.Time) (int, error)
	// TouchSession moves Seen and Expires forward. An ended session stays ended.
	TouchSession(ctx context.Context, id string, seen, expires time.Time) error
	// EndSession removes the session, closes every sign-in made from it, and
	// queues a logout for every client that joined it. It returns the ids of these
	// clients, sorted. Ending an unknown session is not an error.
	EndSession(ctx context.Context, id string, at time.Time) (clients []string, err error)
	// EndSessionOf is EndSession for a session of the subject, which may also have expired,
	// or be gone except for sign-ins that outlive it. A session of another subject stays
	// unchanged.
	EndSessionOf(ctx context.Context, id, subject string, at time.Time) (clients []string, err error)
	// LeaveSession closes the sign-ins that a client got in a session of the subject, and
	// removes the client from the session, which stays open. It returns the number of
	// sign-ins that it closed.
	LeaveSession(ctx context.Context, id, subject, clientID string) (int, error)
	// InheritSession moves the sign-ins that outlive an expired session, and the
	// list of its clients, to a new session of the same subject. A session that is
	// still open or has another subject stays unchanged.
	InheritSession(ctx context.Context, from, to, subject string, at time.Time) error
}
