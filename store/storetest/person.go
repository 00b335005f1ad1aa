package storetest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

// requirePeople checks that the store has these accounts and no other person of these
// tests.
func requirePeople(t *testing.T, s Store, want ...upstream.Account) {
	t.Helper()
	byName := map[string]upstream.Account{}
	for _, a := range want {
		byName[a.Username] = a
	}
	for _, name := range []string{"ann", "bob", "cid", "dan"} {
		got, err := s.AccountByUsername(t.Context(), name)
		if _, known := byName[name]; !known {
			require.ErrorIs(t, err, upstream.ErrNotFound, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, byName[name], got)
		delete(byName, name)
	}
	require.Empty(t, byName, "every account was checked")
}

func testPeopleAreReplaced(t *testing.T, s Store) {
	replacePeople(t, s, "cid", "ann", "bob")
	requirePeople(t, s, newAccount("ann"), newAccount("bob"), newAccount("cid"))
	replacePeople(t, s, "ann", "dan")
	requirePeople(t, s, newAccount("ann"), newAccount("dan"))
	replacePeople(t, s)
	requirePeople(t, s)
}

func testPeopleLoseAccess(t *testing.T, s Store) {
	replacePeople(t, s, "ann", "bob", "cid")
	for _, name := range []string{"ann", "bob", "cid"} {
		require.NoError(t, s.StartSession(t.Context(), newSession(name, name)))
		require.NoError(t, s.RecordSignin(t.Context(), newSignin(name, name, name)))
	}
	changed := newAccount("bob")
	changed.PasswordHash = "another"
	renamed := newAccount("ann")
	renamed.Username = "anna"
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{renamed, changed}), start))
	replacePeople(t, s, "ann", "bob", "cid")
	// Bob has the old hash again, and cid exists again. Neither restores their sessions.
	for _, name := range []string{"bob", "cid"} {
		_, _, err := s.FindSession(t.Context(), name, start)
		require.ErrorIs(t, err, session.ErrNotFound)
		_, _, err = s.FindSignin(t.Context(), name, start)
		require.ErrorIs(t, err, oidc.ErrNotFound)
	}
	_, _, err := s.FindSession(t.Context(), "ann", start)
	require.NoError(t, err)
	_, _, err = s.RedeemCode(t.Context(), "ann", start, 0)
	require.NoError(t, err)
}

func testPeopleSwapUsernames(t *testing.T, s Store) {
	replacePeople(t, s, "ann", "bob")
	ann, bob := newAccount("ann"), newAccount("bob")
	ann.Username, bob.Username = bob.Username, ann.Username
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{ann, bob}), start))
	requirePeople(t, s, ann, bob)
}

func testDuplicatePeople(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	sameName := newAccount("bob")
	sameName.Username = "cid"
	require.Error(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{sameName, newAccount("cid")}), start))
	sameSubject := slices.Values([]upstream.Account{newAccount("bob"), newAccount("bob")})
	require.Error(t, s.ReplacePeople(t.Context(), sameSubject, start))
	requirePeople(t, s, newAccount("ann"))
}
