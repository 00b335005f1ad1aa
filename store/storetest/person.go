package storetest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

func testPeopleAreReplaced(t *testing.T, s Store) {
	replacePeople(t, s, "cid", "ann", "bob")
	got, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{newAccount("ann"), newAccount("bob"), newAccount("cid")}, got)
	one, err := s.AccountByUsername(t.Context(), "bob")
	require.NoError(t, err)
	require.Equal(t, newAccount("bob"), one)

	replacePeople(t, s, "ann", "dan")
	_, err = s.AccountByUsername(t.Context(), "bob")
	require.ErrorIs(t, err, upstream.ErrNotFound)
	got, err = s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{newAccount("ann"), newAccount("dan")}, got)
	replacePeople(t, s)
	got, err = s.Accounts(t.Context())
	require.NoError(t, err)
	require.Empty(t, got)
}

func testPeopleLoseAccess(t *testing.T, s Store) {
	replacePeople(t, s, "ann", "bob", "cid")
	for _, name := range []string{"ann", "bob", "cid"} {
		require.NoError(t, s.StartSession(t.Context(), newSession(name, name)))
		require.NoError(t, s.Answer(t.Context(), newSignin(name, name, name)))
	}
	changed := newAccount("bob")
	changed.PasswordHash = "another"
	renamed := newAccount("ann")
	renamed.Username = "anna"
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{renamed, changed}, start))
	replacePeople(t, s, "ann", "bob", "cid")
	// Bob has the old hash again, and cid exists again. Neither restores their sessions.
	for _, name := range []string{"bob", "cid"} {
		_, _, err := s.FindSession(t.Context(), name, start)
		require.ErrorIs(t, err, session.ErrNotFound)
		_, _, err = s.Find(t.Context(), name, start)
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	_, _, err := s.FindSession(t.Context(), "ann", start)
	require.NoError(t, err)
	_, _, err = s.Redeem(t.Context(), "ann", start)
	require.NoError(t, err)
}

func testPeopleSwapUsernames(t *testing.T, s Store) {
	replacePeople(t, s, "ann", "bob")
	ann, bob := newAccount("ann"), newAccount("bob")
	ann.Username, bob.Username = bob.Username, ann.Username
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{ann, bob}, start))
	got, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{bob, ann}, got)
}

func testDuplicatePeople(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	sameName := newAccount("bob")
	sameName.Username = "cid"
	require.Error(t, s.ReplacePeople(t.Context(), []upstream.Account{sameName, newAccount("cid")}, start))
	require.Error(t, s.ReplacePeople(t.Context(), []upstream.Account{newAccount("bob"), newAccount("bob")}, start))
	got, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{newAccount("ann")}, got)
}
