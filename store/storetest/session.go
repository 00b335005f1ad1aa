package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/session"
)

func sessionKept(t *testing.T, s Store) {
	people(t, s, "ann")
	want := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), want))
	require.Error(t, s.StartSession(t.Context(), want), "an id is used once")
	got, who, err := s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, person("sub-ann"), who)

	plain := newSession("plain", "ann")
	plain.AMR, plain.ACR = nil, ""
	require.NoError(t, s.StartSession(t.Context(), plain))
	got, _, err = s.FindSession(t.Context(), "plain", start)
	require.NoError(t, err)
	require.Equal(t, plain, got)

	require.NoError(t, s.StartSession(t.Context(), newSession("nobody", "bob")))
	for _, id := range []string{"unknown", "nobody", ""} {
		_, _, err = s.FindSession(t.Context(), id, start)
		require.ErrorIs(t, err, session.ErrNotFound)
	}
}

func sessionExpires(t *testing.T, s Store) {
	people(t, s, "ann")
	idle, absolute := newSession("idle", "ann"), newSession("absolute", "ann")
	absolute.Ends, absolute.Expires = idle.Expires, idle.Ends
	for _, b := range []session.Session{idle, absolute} {
		require.NoError(t, s.StartSession(t.Context(), b))
		_, _, err := s.FindSession(t.Context(), b.ID, idle.Expires.Add(-time.Millisecond))
		require.NoError(t, err)
		_, _, err = s.FindSession(t.Context(), b.ID, idle.Expires)
		require.ErrorIs(t, err, session.ErrNotFound)
	}
}

func sessionRenewed(t *testing.T, s Store) {
	people(t, s, "ann")
	b := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), b))
	renewed := b
	renewed.SecretHash, renewed.ACR, renewed.AMR = "new", "urn:two", []string{"hwk"}
	renewed.AuthTime, renewed.Seen = start.Add(time.Minute), start.Add(time.Minute)
	renewed.Expires, renewed.Ends = b.Expires.Add(time.Minute), b.Ends.Add(time.Minute)
	require.ErrorIs(t, s.RenewSession(t.Context(), "another", renewed), session.ErrNotFound)
	got, _, err := s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, b, got)

	require.NoError(t, s.RenewSession(t.Context(), b.SecretHash, renewed))
	got, _, err = s.FindSession(t.Context(), "b", start)
	require.NoError(t, err)
	require.Equal(t, renewed, got)
	require.ErrorIs(t, s.RenewSession(t.Context(), b.SecretHash, renewed), session.ErrNotFound)
}

func sessionRenewRace(t *testing.T, s Store) {
	people(t, s, "ann")
	b := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), b))
	won := 0
	for _, err := range together(16, func(n int) error {
		renewed := b
		renewed.SecretHash = string(rune('a' + n))
		return s.RenewSession(t.Context(), b.SecretHash, renewed)
	}) {
		if err == nil {
			won++
			continue
		}
		require.ErrorIs(t, err, session.ErrNotFound)
	}
	require.Equal(t, 1, won)
}

func sessionTouched(t *testing.T, s Store) {
	people(t, s, "ann")
	b := newSession("b", "ann")
	require.NoError(t, s.StartSession(t.Context(), b))
	later := start.Add(30 * time.Minute)
	require.NoError(t, s.TouchSession(t.Context(), "b", later, later.Add(time.Hour)))
	require.NoError(t, s.TouchSession(t.Context(), "b", start, start.Add(time.Minute)), "late news")
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

func sessionEnded(t *testing.T, s Store) {
	people(t, s, "ann")
	for _, id := range []string{"b", "other"} {
		require.NoError(t, s.StartSession(t.Context(), newSession(id, "ann")))
		require.NoError(t, s.Answer(t.Context(), signin("answered "+id, id, "ann")))
		require.NoError(t, s.Answer(t.Context(), signin("redeemed "+id, id, "ann")))
		_, _, err := s.Redeem(t.Context(), "redeemed "+id, start)
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
	for _, id := range []string{"answered b", "redeemed b"} {
		_, _, err = s.Find(t.Context(), id, start)
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	for _, id := range []string{"answered other", "redeemed other"} {
		_, _, err = s.Find(t.Context(), id, start)
		require.NoError(t, err)
	}
}
