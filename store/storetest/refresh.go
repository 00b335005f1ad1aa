package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/upstream"
)

const (
	refreshIdle = time.Hour
	refreshLife = 3 * time.Hour
	accessLife  = 10 * time.Minute
	grace       = 10 * time.Second
)

// refreshable is a redeemed sign-in whose first refresh token was issued at start.
func refreshable(t *testing.T, s Store, sessionID string) {
	t.Helper()
	in := signin("i", sessionID, "ann")
	in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(refreshIdle), Ends: start.Add(refreshLife)}
	in.Expires = in.Refresh.Expires
	require.NoError(t, s.Answer(t.Context(), in))
	_, _, err := s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)
}

func rotation(number int, at time.Time) oidc.Rotation {
	return oidc.Rotation{ID: "i", ClientID: "liveengage", Number: number, At: at, Idle: refreshIdle, Access: accessLife, Grace: grace}
}

func rotate(t *testing.T, s Store, number int, at time.Time) (oidc.Signin, error) {
	t.Helper()
	in, who, err := s.Rotate(t.Context(), rotation(number, at))
	if err == nil {
		require.Equal(t, person("sub-ann"), who)
	}
	return in, err
}

func refreshRotates(t *testing.T, s Store) {
	people(t, s, "ann")
	in := signin("i", "", "ann")
	in.Refresh = oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(refreshIdle), Ends: start.Add(refreshLife)}
	require.NoError(t, s.Answer(t.Context(), in))
	_, err := rotate(t, s, 1, start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "its code is not redeemed yet")
	_, _, err = s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)

	at := start.Add(time.Minute)
	got, err := rotate(t, s, 1, at)
	require.NoError(t, err)
	require.Equal(t, oidc.Refresh{Number: 2, Issued: at, Expires: at.Add(refreshIdle), Ends: start.Add(refreshLife)}, got.Refresh)
	require.Equal(t, at.Add(refreshIdle), got.Expires, "the sign-in lives as long as its refresh token")
	found, _, err := s.Find(t.Context(), "i", at)
	require.NoError(t, err)
	require.Equal(t, got, found)
	for _, number := range []int{0, -1, 3, 99} {
		_, err = rotate(t, s, number, at)
		require.ErrorIs(t, err, oidc.ErrNotFound, "never issued")
	}
	_, err = rotate(t, s, 2, at)
	require.NoError(t, err, "and that did no harm")
	_, _, err = s.Rotate(t.Context(), oidc.Rotation{ID: "unknown", ClientID: "liveengage", Number: 1, At: at})
	require.ErrorIs(t, err, oidc.ErrNotFound)
	require.NoError(t, s.Answer(t.Context(), signin("without", "", "ann")))
	_, _, err = s.Redeem(t.Context(), "without", start)
	require.NoError(t, err)
	without := rotation(1, start)
	without.ID = "without"
	_, _, err = s.Rotate(t.Context(), without)
	require.ErrorIs(t, err, oidc.ErrNotFound, "it has no refresh token")
}

func refreshGrace(t *testing.T, s Store) {
	people(t, s, "ann")
	refreshable(t, s, "")
	first, err := rotate(t, s, 1, start)
	require.NoError(t, err)
	again, err := rotate(t, s, 1, start.Add(grace-time.Millisecond))
	require.NoError(t, err)
	require.Equal(t, first, again, "the same successor, and nothing written")
	_, err = rotate(t, s, 1, start.Add(grace))
	require.ErrorIs(t, err, oidc.ErrReplayed)
	_, err = rotate(t, s, 2, start.Add(grace))
	require.ErrorIs(t, err, oidc.ErrNotFound, "the family is dead")
	_, _, err = s.Find(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, err = rotate(t, s, 1, start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "closed says nothing of why")
}

func refreshReused(t *testing.T, s Store) {
	people(t, s, "ann")
	refreshable(t, s, "")
	for number := range 3 {
		_, err := rotate(t, s, number+1, start)
		require.NoError(t, err)
	}
	_, err := rotate(t, s, 2, start)
	require.ErrorIs(t, err, oidc.ErrReplayed, "one before the predecessor, within the grace of that")
	_, err = rotate(t, s, 4, start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func refreshStrict(t *testing.T, s Store) {
	people(t, s, "ann")
	refreshable(t, s, "")
	strict := rotation(1, start)
	strict.Grace = 0
	_, _, err := s.Rotate(t.Context(), strict)
	require.NoError(t, err)
	_, _, err = s.Rotate(t.Context(), strict)
	require.ErrorIs(t, err, oidc.ErrReplayed, "without a grace, also at the same moment")
}

func refreshOthers(t *testing.T, s Store) {
	people(t, s, "ann")
	refreshable(t, s, "")
	stranger := rotation(1, start)
	stranger.ClientID = "another"
	_, _, err := s.Rotate(t.Context(), stranger)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, err = rotate(t, s, 1, start)
	require.NoError(t, err, "another client has done no harm")
	stranger.At = start.Add(2 * grace)
	_, _, err = s.Rotate(t.Context(), stranger)
	require.ErrorIs(t, err, oidc.ErrNotFound, "nor does it with a spent one")
	_, err = rotate(t, s, 2, start)
	require.NoError(t, err)
}

func refreshExpires(t *testing.T, s Store) {
	people(t, s, "ann")
	refreshable(t, s, "")
	_, err := rotate(t, s, 1, start.Add(refreshIdle))
	require.ErrorIs(t, err, oidc.ErrNotFound, "idle")
	at := start.Add(refreshIdle - time.Millisecond)
	_, err = rotate(t, s, 1, at)
	require.NoError(t, err)
	for number := 2; number <= 3; number++ {
		at = at.Add(refreshIdle - time.Millisecond)
		_, err = rotate(t, s, number, at)
		require.NoError(t, err)
	}
	got, _, err := s.Find(t.Context(), "i", at)
	require.NoError(t, err)
	ends := start.Add(refreshLife)
	require.Equal(t, ends, got.Refresh.Expires, "no longer than all of them together")
	require.Equal(t, at.Add(accessLife), got.Expires, "the access token lives longer than that, and the sign-in as long")
	_, err = rotate(t, s, 4, ends)
	require.ErrorIs(t, err, oidc.ErrNotFound, "however busy")
	_, err = rotate(t, s, 3, ends)
	require.ErrorIs(t, err, oidc.ErrNotFound, "also within the grace")
}

func refreshEnded(t *testing.T, s Store) {
	people(t, s, "ann")
	for name, end := range map[string]func() error{
		"closed":     func() error { return s.CloseSignin(t.Context(), "i") },
		"signed out": func() error { return endSession(t.Context(), s, "b") },
		"password changed": func() error {
			a := account("ann")
			a.PasswordHash = "another"
			err := s.ReplacePeople(t.Context(), []upstream.Account{a}, start)
			people(t, s, "ann")
			return err
		},
	} {
		require.NoError(t, s.StartSession(t.Context(), session("b", "ann")))
		refreshable(t, s, "b")
		require.NoError(t, end())
		_, err := rotate(t, s, 1, start)
		require.ErrorIs(t, err, oidc.ErrNotFound, name)
		require.NoError(t, endSession(t.Context(), s, "b"))
		_, err = s.Sweep(t.Context(), start.Add(refreshLife))
		require.NoError(t, err)
	}
	// A session that merely expires ends nothing.
	require.NoError(t, s.StartSession(t.Context(), session("b", "ann")))
	refreshable(t, s, "b")
	_, err := rotate(t, s, 1, start.Add(refreshIdle/2))
	require.NoError(t, err)
	_, err = s.Sweep(t.Context(), start.Add(refreshIdle))
	require.NoError(t, err)
	_, err = rotate(t, s, 2, start.Add(refreshIdle))
	require.NoError(t, err)
}

func refreshRace(t *testing.T, s Store) {
	people(t, s, "ann")
	refreshable(t, s, "")
	got := make([]oidc.Signin, 64)
	for _, err := range together(64, func(n int) (err error) {
		got[n], _, err = s.Rotate(t.Context(), rotation(1, start))
		return err
	}) {
		require.NoError(t, err, "with a grace everybody gets the successor")
	}
	for _, in := range got {
		require.Equal(t, 2, in.Refresh.Number)
	}
	won := 0
	for _, err := range together(64, func(int) error {
		strict := rotation(2, start)
		strict.Grace = 0
		_, _, err := s.Rotate(t.Context(), strict)
		return err
	}) {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, oidc.ErrReplayed):
			require.ErrorIs(t, err, oidc.ErrNotFound)
		}
	}
	require.Equal(t, 1, won)
	_, _, err := s.Find(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "without one a race is a reuse")
}
