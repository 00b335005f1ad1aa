package storetest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
)

func testSigninIsStored(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	want := newSignin("i", "", "ann")
	require.NoError(t, s.RecordSignin(t.Context(), want))
	require.Error(t, s.RecordSignin(t.Context(), want), "an id cannot be used twice")
	got, person, err := s.FindSignin(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.Equal(t, newPerson("sub-ann"), person)
	_, _, err = s.FindSignin(t.Context(), "I", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func testSigninStatesMoveForward(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	want := newSignin("i", "", "ann")
	require.NoError(t, s.RecordSignin(t.Context(), want))
	got, person, err := s.RedeemCode(t.Context(), "i", start)
	require.NoError(t, err)
	want.State = oidc.Redeemed
	require.Equal(t, want, got)
	require.Equal(t, newPerson("sub-ann"), person)
	got, _, err = s.FindSignin(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, want, got)

	require.NoError(t, s.CloseSignin(t.Context(), "i"))
	require.NoError(t, s.CloseSignin(t.Context(), "i"))
	require.NoError(t, s.CloseSignin(t.Context(), "unknown"))
	_, _, err = s.FindSignin(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.RedeemCode(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func testReplayedCode(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "", "ann")))
	_, _, err := s.RedeemCode(t.Context(), "i", start)
	require.NoError(t, err)
	// The code is recognized long after it has expired.
	_, _, err = s.RedeemCode(t.Context(), "i", start.Add(2*codeLife))
	require.ErrorIs(t, err, oidc.ErrReplayed)
	_, _, err = s.FindSignin(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.RedeemCode(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the state closed has no reason")
}

func testSigninWithoutCode(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	signin := newSignin("i", "", "ann")
	signin.State, signin.CodeExpires = oidc.Redeemed, time.Time{}
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	_, _, err := s.RedeemCode(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	got, _, err := s.FindSignin(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, signin, got)
}

func testCodeAndSigninExpire(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	signin := newSignin("i", "", "ann")
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	_, _, err := s.RedeemCode(t.Context(), "i", signin.CodeExpires)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.RedeemCode(t.Context(), "i", signin.CodeExpires.Add(-time.Millisecond))
	require.NoError(t, err)
	_, _, err = s.FindSignin(t.Context(), "i", signin.Expires.Add(-time.Millisecond))
	require.NoError(t, err)
	_, _, err = s.FindSignin(t.Context(), "i", signin.Expires)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func testCodeNeedsSession(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("gone", "never", "ann")))
	_, _, err := s.RedeemCode(t.Context(), "gone", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)

	started := newSession("b", "ann")
	started.Expires = start.Add(codeLife / 2)
	require.NoError(t, s.StartSession(t.Context(), started))
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "b", "ann")))
	_, _, err = s.RedeemCode(t.Context(), "i", started.Expires)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the session has expired")
	_, _, err = s.RedeemCode(t.Context(), "i", start)
	require.NoError(t, err)

	require.NoError(t, s.RecordSignin(t.Context(), newSignin("no person", "", "bob")))
	_, _, err = s.RedeemCode(t.Context(), "no person", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the person does not exist")
}

func testConcurrentRedemptions(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "", "ann")))
	results := runConcurrently(64, func(int) error {
		_, _, err := s.RedeemCode(t.Context(), "i", start)
		return err
	})
	requireOneWinner(t, results)
	_, _, err := s.FindSignin(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "concurrent redemptions are a replay, which closes the sign-in")
}
