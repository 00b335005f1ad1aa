// Package storetest is the contract of package store, which every engine must pass. Read
// Run first.
package storetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

// Store has all methods that the contract tests.
type Store interface {
	oidc.Signins
	oidc.Logouts
	oidc.Assertions
	session.Store
	upstream.People
	upstream.Customers
	keys.Store
	Ping(ctx context.Context) error
	Sweep(ctx context.Context, at time.Time) (int, error)
	PendingLogouts(ctx context.Context) (int, error)
	ClaimOwnership(ctx context.Context, name string) (owner string, err error)
	Owner(ctx context.Context) (string, error)
}

// Run tests the contract. Each call of open returns an empty store, which is closed when
// its test ends.
func Run(t *testing.T, open func(t *testing.T) Store) {
	t.Helper()
	for _, test := range []struct {
		name string
		run  func(t *testing.T, s Store)
	}{
		{"a sign-in is stored unchanged", testSigninIsStored},
		{"the state of a sign-in only moves forward", testSigninStatesMoveForward},
		{"a second redemption closes the sign-in", testReplayedCode},
		{"a sign-in without a code can be neither redeemed nor replayed", testSigninWithoutCode},
		{"codes and sign-ins expire at the given time", testCodeAndSigninExpire},
		{"a sign-in ends with its code unless that is redeemed", testUnredeemedCode},
		{"a session keeps a limited number of sign-ins", testSigninsPerSession},
		{"a code needs an open session", testCodeNeedsSession},
		{"of 64 concurrent redemptions of a code, one succeeds", testConcurrentRedemptions},
		{"32 concurrent writers succeed", testConcurrentWriters},
		{"a session is stored unchanged", testSessionIsStored},
		{"a session expires at the given time", testSessionExpires},
		{"renewing a session needs its secret", testSessionIsRenewed},
		{"of 16 concurrent renewals of a session, one succeeds", testConcurrentRenewals},
		{"touching a session only moves its times forward", testSessionIsTouched},
		{"ending a session closes its sign-ins", testSessionEnds},
		{"each rotation issues the next refresh token", testRefreshTokenSequence},
		{"a retry within the grace period gets the same successor", testGracePeriod},
		{"a replay after the grace period closes the sign-in", testReplayAfterGracePeriod},
		{"a replay without a grace period closes the sign-in", testReplayWithoutGracePeriod},
		{"a replay of an older token closes the sign-in", testReplayOfOlderToken},
		{"another client can neither rotate nor close", testTokenOfOtherClient},
		{"a refresh token needs a redeemed code and a refreshable sign-in", testSigninWithoutRefreshToken},
		{"a refresh token expires at the given time", testRefreshTokenExpires},
		{"a refresh token expires with the earliest of its limits", testRefreshTokenLimits},
		{"a sign-in expires with the last of its tokens", testSigninOutlivesTokens},
		{"closing a sign-in ends its refresh tokens", testClosedSigninEndsRefreshToken},
		{"64 concurrent rotations within the grace period get the same successor", testConcurrentRotationsWithGracePeriod},
		{"64 concurrent rotations without a grace period close the sign-in", testConcurrentRotationsWithoutGracePeriod},
		{"ending a session queues its logouts", testLogoutsAreQueued},
		{"removed people and people with a new password are logged out", testPeopleAreLoggedOut},
		{"logouts are taken for a limited time, oldest first", testLogoutsAreTaken},
		{"of 16 concurrent takers, one gets each logout", testConcurrentTakers},
		{"logouts can be postponed and dropped", testPostponeAndDropLogout},
		{"a sweep keeps logouts and the clients of open sessions", testSweepKeepsLogouts},
		{"of 64 concurrent uses of an assertion, one is the first", testConcurrentAssertions},
		{"an assertion is recorded per client until it expires", testAssertionExpires},
		{"ending a session of a person closes its sign-ins", testSessionOfPersonEnds},
		{"a client leaves a session with its sign-ins", testClientLeavesSession},
		{"a new session inherits the sign-ins of an expired one", testExpiredSessionIsInherited},
		{"the first claim sets the owner", testOwnership},
		{"people are replaced", testPeopleAreReplaced},
		{"removed people and people with a new password lose their sessions", testPeopleLoseAccess},
		{"people can swap usernames", testPeopleSwapUsernames},
		{"duplicate people are an error and change nothing", testDuplicatePeople},
		{"people of upstreams are beside those of the file", testPeopleOfUpstreams},
		{"an upstream session is stored with its session", testUpstreamSessionIsStored},
		{"an upstream ends its sessions", testUpstreamSessionsEnd},
		{"an upstream session is swept with its session", testUpstreamSessionIsSwept},
		{"a sign-in keeps the upstream and the client that exchanged a token", testSigninKeepsItsOrigin},
		{"each algorithm has one next and one active key", testKeysAreAdded},
		{"a rotation changes both keys or neither", testKeysAreRotated},
		{"keys are withdrawn", testKeysAreWithdrawn},
		{"of 16 concurrent changes of keys, one succeeds", testConcurrentKeyChanges},
		{"a sweep deletes only expired rows", testSweep},
		{"a canceled context is an error and changes nothing", testCanceledContext},
		{"special characters are stored unchanged", testSpecialCharacters},
		{"text that one engine cannot store is refused by both", testUnstorableText},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t, open(t))
		})
	}
}

// start is the time at which every test begins.
var start = time.Date(2031, 5, 6, 7, 8, 9, 123_000_000, time.UTC)

const (
	codeLife   = time.Minute
	signinLife = time.Hour
)

func newPerson(subject string) claims.Person { return claims.Person{Subject: subject} }

func newAccount(name string) upstream.Account {
	return upstream.Account{Username: name, PasswordHash: "hash of " + name, Person: newPerson("sub-" + name)}
}

// replacePeople replaces all people with the named ones.
func replacePeople(t *testing.T, s Store, names ...string) {
	t.Helper()
	var all []upstream.Account
	for _, name := range names {
		all = append(all, newAccount(name))
	}
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values(all), start))
}

func newSession(id, name string) session.Session {
	return session.Session{
		ID:         id,
		SecretHash: "secret of " + id,
		Subject:    "sub-" + name,
		ACR:        "urn:one",
		AMR:        []string{"pwd", "otp"},
		AuthTime:   start.Add(-time.Second),
		Created:    start,
		Seen:       start,
		Expires:    start.Add(time.Hour),
		Ends:       start.Add(10 * time.Hour),
	}
}

func newSignin(id, sessionID, name string) oidc.Signin {
	return oidc.Signin{
		ID:          id,
		Reference:   "ref " + id,
		ClientID:    "liveengage",
		SessionID:   sessionID,
		Subject:     "sub-" + name,
		State:       oidc.Issued,
		Created:     start,
		CodeExpires: start.Add(codeLife),
		Expires:     start.Add(signinLife),
		Grant: oidc.Grant{
			RedirectURI: "https://c.example/cb",
			Scopes:      []string{"openid", "profile"},
			Nonce:       "n",
			AuthTime:    start.Unix(),
			AMR:         []string{"pwd"},
		},
	}
}
