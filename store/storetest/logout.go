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

// joined starts a session that clients have joined.
func joined(t *testing.T, s Store, id, name string, clients ...string) {
	t.Helper()
	require.NoError(t, s.StartSession(t.Context(), session(id, name)))
	for _, c := range clients {
		require.NoError(t, s.JoinSession(t.Context(), id, c))
		require.NoError(t, s.JoinSession(t.Context(), id, c), "twice is once")
	}
}

// logout is one that was taken once.
func logout(id, client, name string) oidc.Logout {
	return oidc.Logout{SessionID: id, ClientID: client, Subject: "sub-" + name, Created: start, Tries: 1}
}

const lease = time.Minute

func logoutsQueued(t *testing.T, s Store) {
	people(t, s, "ann", "bob")
	joined(t, s, "b", "ann", "shop", "chat")
	joined(t, s, "other", "bob", "shop")
	joined(t, s, "nobody's", "ann")
	clients, err := s.EndSession(t.Context(), "nobody's", start)
	require.NoError(t, err)
	require.Empty(t, clients)
	clients, err = s.EndSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, []string{"chat", "shop"}, clients)
	clients, err = s.EndSession(t.Context(), "b", start.Add(time.Second))
	require.NoError(t, err)
	require.Empty(t, clients, "it has ended already")

	due, err := s.TakeLogouts(t.Context(), start.Add(-time.Millisecond), start, 9)
	require.NoError(t, err)
	require.Empty(t, due, "not before its time")
	due, err = s.TakeLogouts(t.Context(), start, start.Add(lease), 9)
	require.NoError(t, err)
	require.Equal(t, []oidc.Logout{logout("b", "chat", "ann"), logout("b", "shop", "ann")}, due)

	changed := account("bob")
	changed.PasswordHash = "another"
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{account("ann"), changed}, start))
	due, err = s.TakeLogouts(t.Context(), start, start.Add(lease), 9)
	require.NoError(t, err)
	require.Equal(t, []oidc.Logout{logout("other", "shop", "bob")}, due, "a changed password ends sessions, too")
}

func logoutsTaken(t *testing.T, s Store) {
	people(t, s, "ann")
	joined(t, s, "b", "ann", "1", "2", "3")
	_, err := s.EndSession(t.Context(), "b", start)
	require.NoError(t, err)
	take := func(at time.Time, limit int) (clients string) {
		due, err := s.TakeLogouts(t.Context(), at, at.Add(lease), limit)
		require.NoError(t, err)
		for _, l := range due {
			clients += fmt.Sprint(l.ClientID, "/", l.Tries, " ")
		}
		return clients
	}
	require.Equal(t, "1/1 2/1 ", take(start, 2))
	require.Equal(t, "3/1 ", take(start, 2))
	require.Empty(t, take(start.Add(lease-time.Millisecond), 9), "they are lent out")
	require.NoError(t, s.DropLogout(t.Context(), logout("b", "1", "ann")))
	require.NoError(t, s.PostponeLogout(t.Context(), logout("b", "2", "ann"), start.Add(time.Hour)))
	require.NoError(t, s.DropLogout(t.Context(), logout("b", "unknown", "ann")))
	require.NoError(t, s.PostponeLogout(t.Context(), logout("unknown", "2", "ann"), start))
	require.Equal(t, "3/2 ", take(start.Add(lease), 9), "the lease of one who died runs out")
	n, err := s.Sweep(t.Context(), start.Add(1000*time.Hour))
	require.NoError(t, err)
	require.Zero(t, n, "however old, a logout is not swept")
	require.Equal(t, "2/2 3/3 ", take(start.Add(time.Hour), 9))
}

func logoutsShared(t *testing.T, s Store) {
	people(t, s, "ann")
	const many = 40
	for i := range many {
		joined(t, s, fmt.Sprint("b", i), "ann", "shop")
		_, err := s.EndSession(t.Context(), fmt.Sprint("b", i), start)
		require.NoError(t, err)
	}
	var taken atomic.Int64
	for _, err := range together(16, func(int) error {
		due, err := s.TakeLogouts(t.Context(), start, start.Add(lease), 7)
		taken.Add(int64(len(due)))
		for _, l := range due {
			if l.Tries != 1 {
				err = fmt.Errorf("taken %d times", l.Tries)
			}
		}
		return err
	}) {
		require.NoError(t, err)
	}
	require.LessOrEqual(t, taken.Load(), int64(many), "of several takers one gets each")
	rest, err := s.TakeLogouts(t.Context(), start, start.Add(lease), many)
	require.NoError(t, err)
	require.Equal(t, int64(many), taken.Load()+int64(len(rest)), "and none is lost")
}

func notesSwept(t *testing.T, s Store) {
	people(t, s, "ann")
	joined(t, s, "b", "ann", "shop")
	require.NoError(t, s.JoinSession(t.Context(), "never", "shop"))
	n, err := s.Sweep(t.Context(), start)
	require.NoError(t, err)
	require.Equal(t, 1, n, "the note about a session that is not there")
	clients, err := s.EndSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, clients)
}

func assertionOnce(t *testing.T, s Store) {
	until := start.Add(time.Minute)
	var first atomic.Int64
	for _, err := range together(64, func(int) error {
		ok, err := s.SpendAssertion(t.Context(), "shop", "jti", until)
		if ok {
			first.Add(1)
		}
		return err
	}) {
		require.NoError(t, err)
	}
	require.Equal(t, int64(1), first.Load())
	for _, c := range [][2]string{{"chat", "jti"}, {"shop", "another"}} {
		ok, err := s.SpendAssertion(t.Context(), c[0], c[1], until)
		require.NoError(t, err)
		require.True(t, ok, c)
	}
	n, err := s.Sweep(t.Context(), until.Add(-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = s.Sweep(t.Context(), until)
	require.NoError(t, err)
	require.Equal(t, 3, n)
	ok, err := s.SpendAssertion(t.Context(), "shop", "jti", until)
	require.NoError(t, err)
	require.True(t, ok, "forgotten once it has expired")
}
