package oidc

import (
	"context"
	"time"
)

// Logout is the end of a session, of which a client is still to be notified (OpenID Connect
// Back-Channel Logout 1.0).
type Logout struct {
	SessionID string    // the claim sid
	ClientID  string    //
	Subject   string    //
	Created   time.Time // when the session ended
	Tries     int       // how often it was taken, including this time
}

// Logouts stores which clients used a session, and the queue of clients to notify of its
// end. The queue survives restarts and is shared by all instances. Ending a session fills
// it. Each method is one atomic step. Package store implements it.
type Logouts interface {
	// JoinSession records that a client used a session. Repeating it changes nothing.
	JoinSession(ctx context.Context, sessionID, clientID string) error

	// TakeLogouts returns up to limit logouts that are due, the oldest first, and postpones
	// each until the given time: of several instances one gets it, and if that instance
	// dies, nothing is lost.
	TakeLogouts(ctx context.Context, at, until time.Time, limit int) ([]Logout, error)

	// PostponeLogout sets when a logout is due again. An unknown one is not an error.
	PostponeLogout(ctx context.Context, l Logout, until time.Time) error

	// DropLogout removes a logout that was delivered or abandoned. An unknown one is not an
	// error.
	DropLogout(ctx context.Context, l Logout) error
}

// Assertions remembers used client assertions until they expire (RFC 7523 section 3).
// Package store implements it.
type Assertions interface {
	// RecordAssertion records a client's assertion by its id, at most 64 characters, until it
	// expires. It reports whether this is the first use: of several concurrent callers one
	// gets true. It is one atomic step.
	RecordAssertion(ctx context.Context, clientID, id string, expires time.Time) (bool, error)
}
