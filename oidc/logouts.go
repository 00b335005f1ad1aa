package oidc

import (
	"context"
	"time"
)

// Logout is the end of a session that a client is yet to be told of
// (OpenID Connect Back-Channel Logout 1.0).
type Logout struct {
	SessionID string    // the claim sid
	ClientID  string    //
	Subject   string    //
	Created   time.Time // when the session ended
	Tries     int       // how often it was taken, this time included
}

// Logouts keeps which clients a session was used for, and the queue of those to
// be told of its end. It survives a restart, and any number of instances may
// share it. Each method is one atomic step; store implements it. The queue is
// filled where sessions end.
type Logouts interface {
	// JoinSession records that a client was answered from a session. Doing it
	// again changes nothing.
	JoinSession(ctx context.Context, sessionID, clientID string) error

	// TakeLogouts returns at most limit logouts whose time has come, those that
	// have waited longest first, and puts each off until the given time: of
	// several instances one gets it, and one that dies with it loses nothing.
	TakeLogouts(ctx context.Context, at, until time.Time, limit int) ([]Logout, error)

	// PostponeLogout sets when a logout is due again. One that is unknown is no
	// error.
	PostponeLogout(ctx context.Context, l Logout, until time.Time) error

	// DropLogout removes a logout: the client has been told, or never will be.
	// One that is unknown is no error.
	DropLogout(ctx context.Context, l Logout) error
}

// Assertions remembers the client assertions that were used, until they expire
// (RFC 7523 section 3). Store implements it.
type Assertions interface {
	// RecordAssertion records a client's assertion by its id, at most 64
	// characters, until it expires. Of any number of callers one gets true; where
	// it is recorded already the answer is false. It is one atomic step.
	RecordAssertion(ctx context.Context, clientID, id string, expires time.Time) (bool, error)
}
