package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/upstream"
)

// joined starts a session of a person that was used for some clients.
func joined(t *testing.T, s Store, id, name string, clients ...string) {
	t.Helper()
	require.NoError(t, s.StartSession(t.Context(), newSession(id, name)))
	for range 2 { // the second time changes nothing
		for _, client := range clients {
			require.NoError(t, s.JoinSession(t.Context(), id, client))
		}
	}
}

// end ends a session and returns its clients.
func end(t *testing.T, s Store, id string, at time.Time) []string {
	t.Helper()
	clients, err := s.EndSession(t.Context(), id, at)
	require.NoError(t, err)
	return clients
}

// take takes logouts until five minutes later.
func take(t *testing.T, s Store, at time.Time, limit int) []oidc.Logout {
	t.Helper()
	got, err := s.TakeLogouts(t.Context(), at, at.Add(5*time.Minute), limit)
	require.NoError(t, err)
	return got
}

// waiting is how long the queue is.
func waiting(t *testing.T, s Store) int {
	t.Helper()
	n, err := s.PendingLogouts(t.Context())
	require.NoError(t, err)
	return n
}

func logout(sessionID, clientID, name string, created time.Time, tries int) oidc.Logout {
	return oidc.Logout{SessionID: sessionID, ClientID: clientID, Subject: "sub-" + name, Created: created, Tries: tries}
}

func logoutQueued(t *testing.T, s Store) {
	people(t, s, "ann", "bob")
	joined(t, s, "b", "ann", "web", "Zeta", "app")
	joined(t, s, "other", "bob", "web")
	joined(t, s, "alone", "bob")
	require.Zero(t, waiting(t, s))
	require.Empty(t, take(t, s, start.Add(time.Hour), 9))

	require.Equal(t, []string{"Zeta", "app", "web"}, end(t, s, "b", start))
	require.Empty(t, end(t, s, "b", start.Add(time.Hour)), "it has ended")
	require.Empty(t, end(t, s, "alone", start))
	require.Empty(t, end(t, s, "unknown", start))
	// Joined as it ended, by another request: nobody is told twice.
	require.NoError(t, s.JoinSession(t.Context(), "b", "web"))
	require.Empty(t, end(t, s, "b", start.Add(time.Hour)))

	require.Equal(t, 3, waiting(t, s))
	require.Empty(t, take(t, s, start.Add(-time.Millisecond), 9))
	require.Equal(t, []oidc.Logout{
		logout("b", "Zeta", "ann", start, 1), logout("b", "app", "ann", start, 1), logout("b", "web", "ann", start, 1),
	}, take(t, s, start, 9))
	require.Equal(t, 3, waiting(t, s), "taken is not told")
	require.Equal(t, []string{"web"}, end(t, s, "other", start), "the other session is another matter")
}

func logoutPeople(t *testing.T, s Store) {
	people(t, s, "ann", "bob", "cid")
	joined(t, s, "ann 1", "ann", "web", "app")
	joined(t, s, "ann 2", "ann", "web")
	joined(t, s, "bob", "bob", "web")
	joined(t, s, "cid", "cid", "web")
	changed := account("ann")
	changed.PasswordHash = "another"
	renamed := account("cid")
	renamed.Username = "cindy"
	at := start.Add(time.Minute)
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{changed, renamed}, at))
	require.Empty(t, take(t, s, at.Add(-time.Millisecond), 9))
	require.Equal(t, []oidc.Logout{
		logout("ann 1", "app", "ann", at, 1), logout("ann 1", "web", "ann", at, 1), logout("ann 2", "web", "ann", at, 1),
		logout("bob", "web", "bob", at, 1),
	}, take(t, s, at, 9))
	require.Empty(t, end(t, s, "ann 1", at))
	require.Equal(t, []string{"web"}, end(t, s, "cid", at), "a new name is no reason")
}

func logoutTaken(t *testing.T, s Store) {
	people(t, s, "ann")
	for i := range 5 {
		id := fmt.Sprint(4 - i)
		joined(t, s, id, "ann", "web")
		end(t, s, id, start.Add(time.Duration(i)*time.Second))
	}
	at := start.Add(time.Minute)
	require.Equal(t, []oidc.Logout{logout("4", "web", "ann", start, 1), logout("3", "web", "ann", start.Add(time.Second), 1)}, take(t, s, at, 2))
	require.Len(t, take(t, s, at, 2), 2)
	require.Equal(t, []oidc.Logout{logout("0", "web", "ann", start.Add(4*time.Second), 1)}, take(t, s, at, 2))
	until := at.Add(5 * time.Minute)
	require.Empty(t, take(t, s, until.Add(-time.Millisecond), 9), "whoever took them has them")
	got := take(t, s, until, 9)
	require.Len(t, got, 5, "whoever took them has died")
	for i, l := range got {
		require.Equal(t, logout(fmt.Sprint(4-i), "web", "ann", start.Add(time.Duration(i)*time.Second), 2), l)
	}
}

func logoutRace(t *testing.T, s Store) {
	people(t, s, "ann")
	const many = 60
	for i := range many {
		id := fmt.Sprint(i)
		joined(t, s, id, "ann", "web")
		end(t, s, id, start)
	}
	taken := make([][]oidc.Logout, 16)
	for _, err := range together(16, func(n int) (err error) {
		for range many { // a taker that came second may get less than there is
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

func logoutMoved(t *testing.T, s Store) {
	people(t, s, "ann")
	joined(t, s, "b", "ann", "app", "web")
	end(t, s, "b", start)
	app, web := logout("b", "app", "ann", start, 1), logout("b", "web", "ann", start, 1)
	require.Equal(t, []oidc.Logout{app, web}, take(t, s, start, 9))
	until := start.Add(time.Hour)
	require.NoError(t, s.PostponeLogout(t.Context(), web, until))
	require.NoError(t, s.DropLogout(t.Context(), app))
	require.NoError(t, s.DropLogout(t.Context(), app))
	require.NoError(t, s.PostponeLogout(t.Context(), app, start))
	require.Equal(t, 1, waiting(t, s))
	require.Empty(t, take(t, s, until.Add(-time.Millisecond), 9))
	require.Equal(t, []oidc.Logout{logout("b", "web", "ann", start, 2)}, take(t, s, until, 9))
	// What has been due longest is taken first, however old the others are.
	require.NoError(t, s.PostponeLogout(t.Context(), web, until.Add(3*time.Hour)))
	joined(t, s, "new", "ann", "web")
	end(t, s, "new", until.Add(2*time.Hour))
	require.Equal(t, []oidc.Logout{logout("new", "web", "ann", until.Add(2*time.Hour), 1)}, take(t, s, until.Add(4*time.Hour), 1))
}

func logoutSwept(t *testing.T, s Store) {
	people(t, s, "ann")
	joined(t, s, "ended", "ann", "web")
	joined(t, s, "expired", "ann", "app", "web")
	open := newSession("open", "ann")
	open.Expires = open.Ends
	require.NoError(t, s.StartSession(t.Context(), open))
	require.NoError(t, s.JoinSession(t.Context(), "open", "web"))
	end(t, s, "ended", start)
	n, err := s.Sweep(t.Context(), start)
	require.NoError(t, err)
	require.Zero(t, n, "a session takes its clients with it")
	require.NoError(t, s.JoinSession(t.Context(), "ended", "web"))
	n, err = s.Sweep(t.Context(), start.Add(time.Hour-time.Millisecond))
	require.NoError(t, err)
	require.Equal(t, 1, n, "the client of a session that has ended")
	n, err = s.Sweep(t.Context(), start.Add(time.Hour))
	require.NoError(t, err)
	require.Equal(t, 3, n, "the session that has expired and its clients")
	require.Equal(t, []string{"web"}, end(t, s, "open", start))
	_, err = s.Sweep(t.Context(), start.Add(10000*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, waiting(t, s))
}

func assertionRace(t *testing.T, s Store) {
	var won atomic.Int64
	for _, err := range together(64, func(int) error {
		first, err := s.SpendAssertion(t.Context(), "web", "a", start)
		if first {
			won.Add(1)
		}
		return err
	}) {
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, won.Load())
}

func assertionForgotten(t *testing.T, s Store) {
	spend := func(client, id string, want bool) {
		t.Helper()
		first, err := s.SpendAssertion(t.Context(), client, id, start)
		require.NoError(t, err)
		require.Equal(t, want, first)
	}
	spend("web", "a", true)
	spend("app", "a", true)
	spend("web", "A", true)
	spend("web", "a", false)
	n, err := s.Sweep(t.Context(), start.Add(-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n)
	spend("web", "a", false)
	n, err = s.Sweep(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	spend("web", "a", true)
}

// past is a sign-in that outlives its session, which has expired, and the moment
// at which all that is to be seen.
func past(t *testing.T, s Store) (after time.Time) {
	t.Helper()
	people(t, s, "ann", "bob")
	b := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), b))
	require.NoError(t, s.JoinSession(t.Context(), "b", "shop"))
	in := signin("i", "b", "ann")
	in.State, in.Expires = oidc.Redeemed, start.Add(100*time.Hour)
	require.NoError(t, s.Answer(t.Context(), in))
	return b.Expires
}

func pastSessionEnded(t *testing.T, s Store) {
	after := past(t, s)
	open := func() error {
		_, _, err := s.Find(t.Context(), "i", after)
		return err
	}
	clients, err := s.EndExpiredSession(t.Context(), "b", "sub-ann", after.Add(-time.Millisecond))
	require.NoError(t, err)
	require.Empty(t, clients)
	require.NoError(t, open(), "the session is still open")
	clients, err = s.EndExpiredSession(t.Context(), "b", "sub-bob", after)
	require.NoError(t, err)
	require.Empty(t, clients)
	require.NoError(t, open(), "it is somebody else's")
	clients, err = s.EndExpiredSession(t.Context(), "b", "sub-ann", after)
	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, clients)
	require.ErrorIs(t, open(), oidc.ErrNotFound)
	due, err := s.TakeLogouts(t.Context(), after, after.Add(time.Minute), 9)
	require.NoError(t, err)
	require.Len(t, due, 1, "its clients are told")

	in := signin("swept", "gone", "ann")
	in.State, in.Expires = oidc.Redeemed, start.Add(100*time.Hour)
	require.NoError(t, s.Answer(t.Context(), in))
	_, err = s.EndExpiredSession(t.Context(), "gone", "sub-ann", after)
	require.NoError(t, err)
	_, _, err = s.Find(t.Context(), "swept", after)
	require.ErrorIs(t, err, oidc.ErrNotFound, "also where the session is no longer known")
}

func pastSessionInherited(t *testing.T, s Store) {
	after := past(t, s)
	next := newSession("next", "ann")
	next.Expires, next.Ends = after.Add(time.Hour), after.Add(time.Hour)
	require.NoError(t, s.StartSession(t.Context(), next))
	require.NoError(t, s.InheritSession(t.Context(), "b", "next", "sub-ann", after.Add(-time.Millisecond)), "still open: stays")
	require.NoError(t, s.InheritSession(t.Context(), "b", "next", "sub-bob", after), "somebody else's: stays")
	in, _, err := s.Find(t.Context(), "i", after)
	require.NoError(t, err)
	require.Equal(t, "b", in.SessionID)
	require.NoError(t, s.InheritSession(t.Context(), "b", "next", "sub-ann", after))
	in, _, err = s.Find(t.Context(), "i", after)
	require.NoError(t, err)
	require.Equal(t, "next", in.SessionID)
	clients, err := s.EndSession(t.Context(), "next", after)
	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, clients)
	_, _, err = s.Find(t.Context(), "i", after)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}
