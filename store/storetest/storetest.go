// Package storetest is the contract of package store: what every engine behind
// it must do. Read Run first.
package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

// Store is everything that the contract is about.
type Store interface {
	oidc.Signins
	oidc.Logouts
	oidc.Assertions
	session.Store
	upstream.People
	keys.Store
	Ping(ctx context.Context) error
	Sweep(ctx context.Context, at time.Time) (int, error)
	PendingLogouts(ctx context.Context) (int, error)
	ClaimOwnership(ctx context.Context, name string) (owner string, err error)
	Owner(ctx context.Context) (string, error)
}

// Run runs the contract. Every call of open returns an empty store that the test
// it is given to closes at its end.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, part := range []struct {
		name string
		run  func(t *testing.T, s Store)
	}{
		{"a sign-in is kept as it was answered", signinKept},
		{"a sign-in only moves forward", signinForward},
		{"a second redemption closes the sign-in", signinReplayed},
		{"a sign-in without a code is never redeemed nor replayed", signinWithoutCode},
		{"a code and a sign-in expire at their moment", signinExpires},
		{"a code needs an open session", signinNeedsSession},
		{"one of 64 redeems a code", signinRace},
		{"many write at once", manyWriters},
		{"a session is kept as it was started", sessionKept},
		{"a session expires at its moment", sessionExpires},
		{"a session is renewed by the holder of its secret", sessionRenewed},
		{"one of 16 renews a session", sessionRenewRace},
		{"a session's use moves it forward only", sessionTouched},
		{"the end of a session closes its sign-ins", sessionEnded},
		{"refresh tokens follow one another", refreshOrder},
		{"a predecessor in grace gets the same successor", refreshGrace},
		{"a predecessor after its grace closes the sign-in", refreshLate},
		{"without grace a predecessor closes the sign-in at once", refreshNoGrace},
		{"a token spent twice over closes the sign-in", refreshReplayed},
		{"another client neither rotates nor closes", refreshForeign},
		{"no refresh token before the code is redeemed, nor without one", refreshNone},
		{"a refresh token expires at its moment", refreshExpires},
		{"a refresh token lives as long as all that it is part of", refreshEach},
		{"a sign-in lives as long as its tokens", refreshKeeps},
		{"what closes a sign-in ends its refresh tokens", refreshClosed},
		{"64 with one refresh token in grace get one successor", refreshRace},
		{"64 with one refresh token and no grace end the sign-in", refreshRaceStrict},
		{"the end of a session queues its logouts", logoutQueued},
		{"people who leave or change password are logged out", logoutPeople},
		{"logouts are taken oldest first, for a while", logoutTaken},
		{"one of 16 takes each logout", logoutRace},
		{"a logout is postponed and dropped", logoutMoved},
		{"a sweep leaves logouts and clients of open sessions", logoutSwept},
		{"one of 64 spends an assertion", assertionRace},
		{"an assertion is the client's own, until it expires", assertionForgotten},
		{"what outlives an expired session is ended", pastSessionEnded},
		{"a new session inherits what outlives an expired one", pastSessionInherited},
		{"the first who claims a store owns it", claimed},
		{"people are replaced", peopleReplaced},
		{"people who leave or change password lose what they had", peopleLose},
		{"usernames may change hands", peopleSwap},
		{"people who clash change nothing", peopleClash},
		{"one key is next and one is active", keyAdded},
		{"keys rotate both or neither", keyRotated},
		{"one of 16 adds and one of 16 rotates", keyRaces},
		{"a sweep removes what has expired and nothing else", swept},
		{"a cancelled caller gets an error and changes nothing", cancelled},
		{"strange characters come back", strange},
	} {
		t.Run(part.name, func(t *testing.T) {
			t.Parallel()
			part.run(t, open(t))
		})
	}
}

// start is the moment at which every test begins.
var start = time.Date(2031, 5, 6, 7, 8, 9, 123_000_000, time.UTC)

const (
	codeLife   = time.Minute
	signinLife = time.Hour
)

func person(subject string) claims.Person { return claims.Person{Subject: subject} }

func account(name string) upstream.Account {
	return upstream.Account{Username: name, PasswordHash: "hash of " + name, Person: person("sub-" + name)}
}

// people fills the directory.
func people(t *testing.T, s Store, names ...string) {
	t.Helper()
	var all []upstream.Account
	for _, name := range names {
		all = append(all, account(name))
	}
	require.NoError(t, s.ReplacePeople(t.Context(), all, start))
}

func newSession(id, name string) session.Session {
	return session.Session{
		ID: id, SecretHash: "secret of " + id, Subject: "sub-" + name, ACR: "urn:one", AMR: []string{"pwd", "otp"},
		AuthTime: start.Add(-time.Second), Created: start, Seen: start, Expires: start.Add(time.Hour), Ends: start.Add(10 * time.Hour),
	}
}

func signin(id, sessionID, name string) oidc.Signin {
	return oidc.Signin{
		ID: id, Reference: "ref " + id, ClientID: "liveengage", SessionID: sessionID, Subject: "sub-" + name, State: oidc.Answered,
		Created: start, CodeExpires: start.Add(codeLife), Expires: start.Add(signinLife),
		Grant: oidc.Grant{RedirectURI: "https://c.example/cb", Scopes: []string{"openid", "profile"}, Nonce: "n", AuthTime: start.Unix(), AMR: []string{"pwd"}},
	}
}
