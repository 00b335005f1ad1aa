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
	"idpbridge/upstream"
	"idpbridge/web"
)

// Store is everything that the contract is about.
type Store interface {
	oidc.Signins
	oidc.Logouts
	oidc.Assertions
	web.Sessions
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
		{"a sign-in is kept as it was answered", testSigninIsStored},
		{"a sign-in only moves forward", testSigninStatesMoveForward},
		{"a second redemption closes the sign-in", testReplayedCode},
		{"a sign-in without a code is never redeemed nor replayed", testSigninWithoutCode},
		{"a code and a sign-in expire at their moment", testCodeAndSigninExpire},
		{"a code needs an open session", testCodeNeedsSession},
		{"one of 64 redeems a code", testConcurrentRedemptions},
		{"many write at once", testConcurrentWriters},
		{"a session is kept as it was started", testSessionIsStored},
		{"a session expires at its moment", testSessionExpires},
		{"a session is renewed by the holder of its secret", testSessionIsRenewed},
		{"one of 16 renews a session", testConcurrentRenewals},
		{"a session's use moves it forward only", testSessionIsTouched},
		{"the end of a session closes its sign-ins", testSessionEnds},
		{"refresh tokens follow one another", testRefreshTokenSequence},
		{"a predecessor in grace gets the same successor", testGracePeriod},
		{"a predecessor after its grace closes the sign-in", testReplayAfterGracePeriod},
		{"without grace a predecessor closes the sign-in at once", testReplayWithoutGracePeriod},
		{"a token spent twice over closes the sign-in", testReplayOfOlderToken},
		{"another client neither rotates nor closes", testTokenOfOtherClient},
		{"no refresh token before the code is redeemed, nor without one", testSigninWithoutRefreshToken},
		{"a refresh token expires at its moment", testRefreshTokenExpires},
		{"a refresh token lives as long as all that it is part of", testRefreshTokenLimits},
		{"a sign-in lives as long as its tokens", testSigninOutlivesTokens},
		{"what closes a sign-in ends its refresh tokens", testClosedSigninEndsRefreshToken},
		{"64 with one refresh token in grace get one successor", testConcurrentRotationsWithGracePeriod},
		{"64 with one refresh token and no grace end the sign-in", testConcurrentRotationsWithoutGracePeriod},
		{"the end of a session queues its logouts", testLogoutsAreQueued},
		{"people who leave or change password are logged out", testPeopleAreLoggedOut},
		{"logouts are taken oldest first, for a while", testLogoutsAreTaken},
		{"one of 16 takes each logout", testConcurrentTakers},
		{"a logout is postponed and dropped", testPostponeAndDropLogout},
		{"a sweep leaves logouts and clients of open sessions", testSweepKeepsLogouts},
		{"one of 64 spends an assertion", testConcurrentAssertions},
		{"an assertion is the client's own, until it expires", testAssertionExpires},
		{"what outlives an expired session is ended", testPastSessionEnds},
		{"a new session inherits what outlives an expired one", testPastSessionIsInherited},
		{"the first who claims a store owns it", testOwnership},
		{"people are replaced", testPeopleAreReplaced},
		{"people who leave or change password lose what they had", testPeopleLoseAccess},
		{"usernames may change hands", testPeopleSwapUsernames},
		{"people who clash change nothing", testDuplicatePeople},
		{"one key is next and one is active", testKeysAreAdded},
		{"keys rotate both or neither", testKeysAreRotated},
		{"one of 16 adds and one of 16 rotates", testConcurrentKeyChanges},
		{"a sweep removes what has expired and nothing else", testSweep},
		{"a cancelled caller gets an error and changes nothing", testCanceledContext},
		{"strange characters come back", testSpecialCharacters},
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

func newPerson(subject string) claims.Person { return claims.Person{Subject: subject} }

func newAccount(name string) upstream.Account {
	return upstream.Account{Username: name, PasswordHash: "hash of " + name, Person: newPerson("sub-" + name)}
}

// replacePeople fills the directory.
func replacePeople(t *testing.T, s Store, names ...string) {
	t.Helper()
	var all []upstream.Account
	for _, name := range names {
		all = append(all, newAccount(name))
	}
	require.NoError(t, s.ReplacePeople(t.Context(), all, start))
}

func newSession(id, name string) web.Session {
	return web.Session{
		ID: id, SecretHash: "secret of " + id, Subject: "sub-" + name, ACR: "urn:one", AMR: []string{"pwd", "otp"},
		AuthTime: start.Add(-time.Second), Created: start, Seen: start, Expires: start.Add(time.Hour), Ends: start.Add(10 * time.Hour),
	}
}

func newSignin(id, sessionID, name string) oidc.Signin {
	return oidc.Signin{
		ID: id, Reference: "ref " + id, ClientID: "liveengage", SessionID: sessionID, Subject: "sub-" + name, State: oidc.Answered,
		Created: start, CodeExpires: start.Add(codeLife), Expires: start.Add(signinLife),
		Grant: oidc.Grant{RedirectURI: "https://c.example/cb", Scopes: []string{"openid", "profile"}, Nonce: "n", AuthTime: start.Unix(), AMR: []string{"pwd"}},
	}
}
