package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/upstream"
)

// startJoinedSession starts a session of a person that clients have joined.
func startJoinedSession(t *testing.T, s Store, id, name string, clients ...string) {
	t.Helper()
	require.NoError(t, s.StartSession(t.Context(), newSession(id, name)))
	for range 2 { // the second time has no effect
		for _, client := range clients {
			require.NoError(t, s.JoinSession(t.Context(), id, client))
		}
	}
}

// endSession ends a session and returns its clients.
func endSession(t *testing.T, s Store, id string, at time.Time) []string {
	t.Helper()
	clients, err := s.EndSession(t.Context(), id, at)
	require.NoError(t, err)
	return clients
}

// takeLogouts takes logouts for five minutes.
func takeLogouts(t *testing.T, s Store, at time.Time, limit int) []oidc.Logout {
	t.Helper()
	got, err := s.TakeLogouts(t.Context(), at, at.Add(5*time.Minute), limit)
	require.NoError(t, err)
	return got
}

// countPendingLogouts returns the length of the queue.
func countPendingLogouts(t *testing.T, s Store) int {
	t.Helper()
	n, err := s.PendingLogouts(t.Context())
	require.NoError(t, err)
	return n
}

func newLogout(sessionID, clientID, name string, created time.Time, tries int) oidc.Logout {
	return oidc.Logout{SessionID: sessionID, ClientID: clientID, Subject: "sub-" + name, Created: created, Tries: tries}
}

func testLogoutsAreQueued(t *testing.T, s Store) {
	replacePeople(t, s, "ann", "bob")
	startJoinedSession(t, s, "b", "ann", "web", "Zeta", "app")
	startJoinedSession(t, s, "other", "bob", "web")
	startJoinedSession(t, s, "alone", "bob")
	require.Zero(t, countPendingLogouts(t, s))
	require.Empty(t, takeLogouts(t, s, start.Add(time.Hour), 9))

	require.Equal(t, []string{"Zeta", "app", "web"}, endSession(t, s, "b", start))
	require.Empty(t, endSession(t, s, "b", start.Add(time.Hour)), "the session has ended already")
	require.Empty(t, endSession(t, s, "alone", start))
	require.Empty(t, endSession(t, s, "unknown", start))
	// Another request has joined while the session ended: no client is notified twice.
	require.NoError(t, s.JoinSession(t.Context(), "b", "web"))
	require.Empty(t, endSession(t, s, "b", start.Add(time.Hour)))

	require.Equal(t, 3, countPendingLogouts(t, s))
	require.Empty(t, takeLogouts(t, s, start.Add(-time.Millisecond), 9))
	require.Equal(t, []oidc.Logout{
		newLogout("b", "Zeta", "ann", start, 1),
		newLogout("b", "app", "ann", start, 1),
		newLogout("b", "web", "ann", start, 1),
	}, takeLogouts(t, s, start, 9))
	require.Equal(t, 3, countPendingLogouts(t, s), "a taken logout stays pending")
	require.Equal(t, []string{"web"}, endSession(t, s, "other", start), "the other session is independent")
}

func testPeopleAreLoggedOut(t *testing.T, s Store) {
	replacePeople(t, s, "ann", "bob", "cid")
	startJoinedSession(t, s, "ann 1", "ann", "web", "app")
	startJoinedSession(t, s, "ann 2", "ann", "web")
	startJoinedSession(t, s, "bob", "bob", "web")
	startJoinedSession(t, s, "cid", "cid", "web")
	changed := newAccount("ann")
	changed.PasswordHash = "another"
	renamed := newAccount("cid")
	renamed.Username = "cindy"
	at := start.Add(time.Minute)
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{changed, renamed}), at))
	require.Empty(t, takeLogouts(t, s, at.Add(-time.Millisecond), 9))
	require.Equal(t, []oidc.Logout{
		newLogout("ann 1", "app", "ann", at, 1),
		newLogout("ann 1", "web", "ann", at, 1),
		newLogout("ann 2", "web", "ann", at, 1),
		newLogout("bob", "web", "bob", at, 1),
	}, takeLogouts(t, s, at, 9))
	require.Empty(t, endSession(t, s, "ann 1", at))
	require.Equal(t, []string{"web"}, endSession(t, s, "cid", at), "a new username does not end the session")
}

func testLogoutsAreTaken(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	for i := range 5 {
		id := fmt.Sprint(4 - i)
		startJoinedSession(t, s, id, "ann", "web")
		endSession(t, s, id, start.Add(time.Duration(i)*time.Second))
	}
	at := start.Add(time.Minute)
	require.Equal(t, []oidc.Logout{
		newLogout("4", "web", "ann", start, 1),
		newLogout("3", "web", "ann", start.Add(time.Second), 1),
	}, takeLogouts(t, s, at, 2))
	require.Len(t, takeLogouts(t, s, at, 2), 2)
	require.Equal(t, []oidc.Logout{
		newLogout("0", "web", "ann", start.Add(4*time.Second), 1),
	}, takeLogouts(t, s, at, 2))
	until := at.Add(5 * time.Minute)
	require.Empty(t, takeLogouts(t, s, until.Add(-time.Millisecond), 9), "the first taker still has them")
	got := takeLogouts(t, s, until, 9)
	require.Len(t, got, 5, "the first taker has not finished in time")
	for i, l := range got {
		require.Equal(t, newLogout(fmt.Sprint(4-i), "web", "ann", start.Add(time.Duration(i)*time.Second), 2), l)
	}
}

func testConcurrentTakers(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	const many = 60
	for i := range many {
		id := fmt.Sprint(i)
		startJoinedSession(t, s, id, "ann", "web")
		endSession(t, s, id, start)
	}
	taken := make([][]oidc.Logout, 16)
	for _, err := range runConcurrently(16, func(n int) (err error) {
		for range many { // a concurrent taker may get fewer than are due
			got, failed := s.TakeLogouts(t.Context(), start, start.Add(time.Minute), 7)
			if failed != nil {
				return failed
			}
			taken[n] = append(taken[n], got...)
		}
		return nil
	}) {
		require.NoError(t, err)
	}
	seen := map[string]int{}
	for _, got := range taken {
		for _, l := range got {
			require.Equal(t, 1, l.Tries)
			seen[l.SessionID]++
		}
	}
	require.Len(t, seen, many)
	for id, n := range seen {
		require.Equal(t, 1, n, id)
	}
}

func testPostponeAndDropLogout(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	startJoinedSession(t, s, "b", "ann", "app", "web")
	endSession(t, s, "b", start)
	app, web := newLogout("b", "app", "ann", start, 1), newLogout("b", "web", "ann", start, 1)
	require.Equal(t, []oidc.Logout{app, web}, takeLogouts(t, s, start, 9))
	until := start.Add(time.Hour)
	require.NoError(t, s.PostponeLogout(t.Context(), web, until))
	require.NoError(t, s.DropLogout(t.Context(), app))
	require.NoError(t, s.DropLogout(t.Context(), app))
	require.NoError(t, s.PostponeLogout(t.Context(), app, start))
	require.Equal(t, 1, countPendingLogouts(t, s))
	require.Empty(t, takeLogouts(t, s, until.Add(-time.Millisecond), 9))
	require.Equal(t, []oidc.Logout{newLogout("b", "web", "ann", start, 2)}, takeLogouts(t, s, until, 9))
	// The logout that has been due longest is taken first, whatever its age.
	require.NoError(t, s.PostponeLogout(t.Context(), web, until.Add(3*time.Hour)))
	startJoinedSession(t, s, "new", "ann", "web")
	endSession(t, s, "new", until.Add(2*time.Hour))
	require.Equal(t, []oidc.Logout{
		newLogout("new", "web", "ann", until.Add(2*time.Hour), 1),
	}, takeLogouts(t, s, until.Add(4*time.Hour), 1))
}

func testSweepKeepsLogouts(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	startJoinedSession(t, s, "ended", "ann", "web")
	startJoinedSession(t, s, "expired", "ann", "app", "web")
	open := newSession("open", "ann")
	open.Expires = open.Ends
	require.NoError(t, s.StartSession(t.Context(), open))
	require.NoError(t, s.JoinSession(t.Context(), "open", "web"))
	endSession(t, s, "ended", start)
	n, err := s.Sweep(t.Context(), start)
	require.NoError(t, err)
	require.Zero(t, n, "the clients were deleted with the session")
	require.NoError(t, s.JoinSession(t.Context(), "ended", "web"))
	n, err = s.Sweep(t.Context(), start.Add(time.Hour-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n, "a session that has ended gets no clients")
	n, err = s.Sweep(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 3, n, "the expired session and its clients")
	require.Equal(t, []string{"web"}, endSession(t, s, "open", start))
	_, err = s.Sweep(t.Context(), start.Add(10000*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, countPendingLogouts(t, s))
}
