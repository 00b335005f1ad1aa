package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/session"
)

func testSessionIsStored(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	want := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), want))
	require.Error(t, s.StartSession(t.Context(), want), "an id cannot be used twice")
	got, person, err := s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, newPerson("sub-ann"), person)

	plain := newSession("plain", "ann")
	plain.AMR, plain.ACR = nil, ""
	require.NoError(t, s.StartSession(t.Context(), plain))
	got, _, err = s.FindSession(t.Context(), "plain", start)
	require.NoError(t, err)
	require.Equal(t, plain, got)

	require.NoError(t, s.StartSession(t.Context(), newSession("no person", "bob")))
	for _, id := range []string{"unknown", "no person", ""} {
		_, _, err = s.FindSession(t.Context(), id, start)
		require.ErrorIs(t, err, session.ErrNotFound)
	}
}

func testSessionExpires(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	idle, absolute := newSession("idle", "ann"), newSession("absolute", "ann")
	absolute.Ends, absolute.Expires = idle.Expires, idle.Ends
	for _, started := range []session.Session{idle, absolute} {
		require.NoError(t, s.StartSession(t.Context(), started))
		_, _, err := s.FindSession(t.Context(), started.ID, idle.Expires.Add(-time.Millisecond))
		require.NoError(t, err)
		_, _, err = s.FindSession(t.Context(), started.ID, idle.Expires)
		require.ErrorIs(t, err, session.ErrNotFound)
	}
}

func testSessionIsRenewed(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	started := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), started))
	renewed := started
	renewed.SecretHash, renewed.ACR, renewed.AMR = "new", "urn:two", []string{"hwk"}
	renewed.AuthTime, renewed.Seen = start.Add(time.Minute), start.Add(time.Minute)
	renewed.Expires, renewed.Ends = started.Expires.Add(time.Minute), started.Ends.Add(time.Minute)
	require.ErrorIs(t, s.RenewSession(t.Context(), "another", renewed), session.ErrNotFound)
	got, _, err := s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, started, got)

	require.NoError(t, s.RenewSession(t.Context(), started.SecretHash, renewed))
	got, _, err = s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, renewed, got)
	require.ErrorIs(t, s.RenewSession(t.Context(), started.SecretHash, renewed), session.ErrNotFound)
}

func testConcurrentRenewals(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	started := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), started))
	won := 0
	for _, err := range runConcurrently(16, func(n int) error {
		renewed := started
		renewed.SecretHash = string(rune('a' + n))
		return s.RenewSession(t.Context(), started.SecretHash, renewed)
	}) {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, session.ErrNotFound)
	}
	require.Equal(t, 1, won)
}

func testSessionIsTouched(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	started := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), started))
	later := start.Add(30 * time.Minute)
	require.NoError(t, s.TouchSession(t.Context(), "b", later, later.Add(time.Hour)))
	require.NoError(t, s.TouchSession(t.Context(), "b", start, start.Add(time.Minute)), "a request that arrives late")
	got, _, err := s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, later, got.Seen)
	require.Equal(t, later.Add(time.Hour), got.Expires)

	ended := got.Expires
	require.NoError(t, s.TouchSession(t.Context(), "b", ended, ended.Add(time.Hour)))
	_, _, err = s.FindSession(t.Context(), "b", ended)
	require.ErrorIs(t, err, session.ErrNotFound, "an expired session stays expired")
	require.NoError(t, s.TouchSession(t.Context(), "unknown", later, ended))
}

func testSessionEnds(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	for _, id := range []string{"b", "other"} {
		require.NoError(t, s.StartSession(t.Context(), newSession(id, "ann")))
		require.NoError(t, s.RecordSignin(t.Context(), newSignin("issued "+id, id, "ann")))
		require.NoError(t, s.RecordSignin(t.Context(), newSignin("redeemed "+id, id, "ann")))
		_, _, err := s.RedeemCode(t.Context(), "redeemed "+id, start, 0)
		require.NoError(t, err)
	}
	for range 2 {
		clients, err := s.EndSession(t.Context(), "b", start)
		require.NoError(t, err)
		require.Empty(t, clients)
	}
	_, _, err := s.FindSession(t.Context(), "b", start)
	require.ErrorIs(t, err, session.ErrNotFound)
	require.NoError(t, s.TouchSession(t.Context(), "b", start.Add(time.Minute), start.Add(2*time.Hour)))
	_, _, err = s.FindSession(t.Context(), "b", start)
	require.ErrorIs(t, err, session.ErrNotFound)
	for _, id := range []string{"issued b", "redeemed b"} {
		_, _, err = s.FindSignin(t.Context(), id, start)
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	for _, id := range []string{"issued other", "redeemed other"} {
		_, _, err = s.FindSignin(t.Context(), id, start)
		require.NoError(t, err)
	}
}

// storeExpiredSession stores a session and a sign-in that outlives it. It returns the time
// at which the session has expired.
func storeExpiredSession(t *testing.T, s Store) (after time.Time) {
	t.Helper()
	replacePeople(t, s, "ann", "bob")
	started := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), started))
	require.NoError(t, s.JoinSession(t.Context(), "b", "shop"))
	signin := newSignin("i", "b", "ann")
	signin.State, signin.Expires = oidc.Redeemed, start.Add(100*time.Hour)
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	return started.Expires
}

func testSessionOfPersonEnds(t *testing.T, s Store) {
	after := storeExpiredSession(t, s)
	open := func() error {
		_, _, err := s.FindSignin(t.Context(), "i", after)
		return err
	}
	clients, err := s.EndSessionOf(t.Context(), "b", "sub-bob", start)
	require.NoError(t, err)
	require.Empty(t, clients)
	require.NoError(t, open(), "it is the session of another person")
	clients, err = s.EndSessionOf(t.Context(), "b", "sub-ann", start)
	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, clients)
	require.ErrorIs(t, open(), oidc.ErrNotFound)
	_, _, err = s.FindSession(t.Context(), "b", start)
	require.ErrorIs(t, err, session.ErrNotFound)
	due, err := s.TakeLogouts(t.Context(), after, after.Add(time.Minute), 9)
	require.NoError(t, err)
	require.Len(t, due, 1, "its client is notified")

	signin := newSignin("swept", "gone", "ann")
	signin.State, signin.Expires = oidc.Redeemed, start.Add(100*time.Hour)
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	_, err = s.EndSessionOf(t.Context(), "gone", "sub-ann", after)
	require.NoError(t, err)
	_, _, err = s.FindSignin(t.Context(), "swept", after)
	require.ErrorIs(t, err, oidc.ErrNotFound, "also if the session was deleted")
}

func testClientLeavesSession(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	for _, id := range []string{"b", "other"} {
		require.NoError(t, s.StartSession(t.Context(), newSession(id, "ann")))
	}
	for _, client := range []string{"shop", "blog"} {
		require.NoError(t, s.JoinSession(t.Context(), "b", client))
		for _, sessionID := range []string{"b", "other"} {
			signin := newSignin(client+" in "+sessionID, sessionID, "ann")
			signin.ClientID = client
			require.NoError(t, s.RecordSignin(t.Context(), signin))
		}
	}
	closed, err := s.LeaveSession(t.Context(), "b", "sub-bob", "shop")
	require.NoError(t, err)
	require.Zero(t, closed, "it is the session of another person")
	closed, err = s.LeaveSession(t.Context(), "b", "sub-ann", "shop")
	require.NoError(t, err)
	require.Equal(t, 1, closed)
	_, _, err = s.FindSignin(t.Context(), "shop in b", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	for _, id := range []string{"blog in b", "shop in other", "blog in other"} {
		_, _, err = s.FindSignin(t.Context(), id, start)
		require.NoError(t, err, id)
	}
	clients, err := s.EndSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, []string{"blog"}, clients, "the session is still open, without the client")
}

func testExpiredSessionIsInherited(t *testing.T, s Store) {
	after := storeExpiredSession(t, s)
	next := newSession("next", "ann")
	next.Expires, next.Ends = after.Add(time.Hour), after.Add(time.Hour)
	require.NoError(t, s.StartSession(t.Context(), next))
	// Nothing is inherited from a session that is still open or of another person.
	require.NoError(t, s.InheritSession(t.Context(), "b", "next", "sub-ann", after.Add(-time.Millisecond)))
	require.NoError(t, s.InheritSession(t.Context(), "b", "next", "sub-bob", after))
	signin, _, err := s.FindSignin(t.Context(), "i", after)
	require.NoError(t, err)
	require.Equal(t, "b", signin.SessionID)
	require.NoError(t, s.InheritSession(t.Context(), "b", "next", "sub-ann", after))
	signin, _, err = s.FindSignin(t.Context(), "i", after)
	require.NoError(t, err)
	require.Equal(t, "next", signin.SessionID)
	clients, err := s.EndSession(t.Context(), "next", after)
	require.NoError(t, err)
	require.Equal(t, []string{"shop"}, clients)
	_, _, err = s.FindSignin(t.Context(), "i", after)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}
