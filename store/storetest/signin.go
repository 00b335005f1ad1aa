package storetest

import (
	"fmt"
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
	got, person, err := s.RedeemCode(t.Context(), "i", start, 0)
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
	_, _, err = s.RedeemCode(t.Context(), "i", start, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func testReplayedCode(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "", "ann")))
	_, _, err := s.RedeemCode(t.Context(), "i", start, 0)
	require.NoError(t, err)
	// The code is recognized long after it has expired.
	_, _, err = s.RedeemCode(t.Context(), "i", start.Add(2*codeLife), 0)
	require.ErrorIs(t, err, oidc.ErrReplayed)
	_, _, err = s.FindSignin(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.RedeemCode(t.Context(), "i", start, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the state closed has no reason")
}

func testSigninWithoutCode(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	signin := newSignin("i", "", "ann")
	signin.State, signin.CodeExpires = oidc.Redeemed, time.Time{}
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	_, _, err := s.RedeemCode(t.Context(), "i", start, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	got, _, err := s.FindSignin(t.Context(), "i", start)
	require.NoError(t, err)
	require.Equal(t, signin, got)
}

func testCodeAndSigninExpire(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	signin := newSignin("i", "", "ann")
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	_, _, err := s.RedeemCode(t.Context(), "i", signin.CodeExpires, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound)
	_, _, err = s.RedeemCode(t.Context(), "i", signin.CodeExpires.Add(-time.Millisecond), 0)
	require.NoError(t, err)
	_, _, err = s.FindSignin(t.Context(), "i", signin.Expires.Add(-time.Millisecond))
	require.NoError(t, err)
	_, _, err = s.FindSignin(t.Context(), "i", signin.Expires)
	require.ErrorIs(t, err, oidc.ErrNotFound)
}

func testUnredeemedCode(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.StartSession(t.Context(), newSession("b", "ann")))
	refresh := oidc.Refresh{Number: 1, Issued: start, Expires: start.Add(2 * time.Hour), Ends: start.Add(9 * time.Hour)}
	for _, id := range []string{"unredeemed", "redeemed", "refreshable"} {
		signin := newSignin(id, "b", "ann")
		signin.Expires = signin.CodeExpires
		if id == "refreshable" {
			signin.Refresh = refresh
		}
		require.NoError(t, s.RecordSignin(t.Context(), signin))
	}
	for id, expires := range map[string]time.Time{
		"redeemed": start.Add(codeLife + time.Hour), "refreshable": refresh.Expires,
	} {
		signin, _, err := s.RedeemCode(t.Context(), id, start, time.Hour)
		require.NoError(t, err)
		require.Equal(t, expires, signin.Expires, id)
	}
	n, err := s.Sweep(t.Context(), start.Add(codeLife))
	require.NoError(t, err)
	require.Equal(t, 1, n, "the unredeemed one")
	_, _, err = s.FindSignin(t.Context(), "redeemed", start.Add(codeLife+time.Hour-time.Millisecond))
	require.NoError(t, err)
}

func testSigninsPerSession(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.StartSession(t.Context(), newSession("b", "ann")))
	record := func(id, session string) {
		signin := newSignin(id, session, "ann")
		signin.Created = start.Add(time.Duration(len(id)) * time.Second)
		require.NoError(t, s.RecordSignin(t.Context(), signin))
	}
	record("redeemed", "b")
	_, _, err := s.RedeemCode(t.Context(), "redeemed", start, time.Hour)
	require.NoError(t, err)
	record("other", "c")
	for i := range oidc.MaxSigninsPerSession + 10 {
		record(fmt.Sprintf("%0*d", 10+i, i), "b") // each is newer than the one before
	}
	left := 0
	for i := range oidc.MaxSigninsPerSession + 10 {
		_, _, err := s.FindSignin(t.Context(), fmt.Sprintf("%0*d", 10+i, i), start)
		if err == nil {
			left++
		}
		require.Equal(t, i > 10, err == nil, "the oldest go first: %d", i)
	}
	require.Equal(t, oidc.MaxSigninsPerSession-1, left)
	for _, id := range []string{"redeemed", "other"} {
		_, _, err := s.FindSignin(t.Context(), id, start)
		require.NoError(t, err, id)
	}
}

func testCodeNeedsSession(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("gone", "never", "ann")))
	_, _, err := s.RedeemCode(t.Context(), "gone", start, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound)

	started := newSession("b", "ann")
	started.Expires = start.Add(codeLife / 2)
	require.NoError(t, s.StartSession(t.Context(), started))
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "b", "ann")))
	_, _, err = s.RedeemCode(t.Context(), "i", started.Expires, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the session has expired")
	_, _, err = s.RedeemCode(t.Context(), "i", start, 0)
	require.NoError(t, err)

	require.NoError(t, s.RecordSignin(t.Context(), newSignin("no person", "", "bob")))
	_, _, err = s.RedeemCode(t.Context(), "no person", start, 0)
	require.ErrorIs(t, err, oidc.ErrNotFound, "the person does not exist")
}

func testConcurrentRedemptions(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "", "ann")))
	results := runConcurrently(64, func(int) error {
		_, _, err := s.RedeemCode(t.Context(), "i", start, 0)
		return err
	})
	requireOneWinner(t, results)
	_, _, err := s.FindSignin(t.Context(), "i", start)
	require.ErrorIs(t, err, oidc.ErrNotFound, "concurrent redemptions are a replay, which closes the sign-in")
}
