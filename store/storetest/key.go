package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
)

func newKey(id, algorithm string, state keys.State) keys.Record {
	return keys.Record{ID: id, Algorithm: algorithm, State: state, Sealed: "sealed " + id, Created: start, Changed: start}
}

// threeKeys returns an active and a next RS256 key, and an active ES256 key.
func threeKeys() []keys.Record {
	return []keys.Record{
		newKey("1", "RS256", keys.Active),
		newKey("2", "RS256", keys.Next),
		newKey("3", "ES256", keys.Active),
	}
}

func testKeysAreAdded(t *testing.T, s Store) {
	for _, c := range []struct {
		key  keys.Record
		want bool
	}{
		{newKey("1", "RS256", keys.Active), true},
		{newKey("2", "RS256", keys.Active), false},
		{newKey("1", "RS256", keys.Next), false}, // the id is taken
		{newKey("2", "RS256", keys.Next), true},
		{newKey("3", "RS256", keys.Next), false},
		{newKey("3", "ES256", keys.Active), true},
	} {
		added, err := s.AddKey(t.Context(), c.key)
		require.NoError(t, err)
		require.Equal(t, c.want, added, c.key)
	}
	_, err := s.AddKey(t.Context(), newKey("4", "PS256", keys.Retiring))
	require.Error(t, err)
	got, err := s.Keys(t.Context())
	require.NoError(t, err)
	require.Equal(t, threeKeys(), got)
}

func testKeysAreRotated(t *testing.T, s Store) {
	for _, k := range threeKeys() {
		_, err := s.AddKey(t.Context(), k)
		require.NoError(t, err)
	}
	at := start.Add(time.Hour)
	for _, pair := range [][2]string{{"1", "2"}, {"2", "3"}, {"2", "9"}, {"9", "1"}, {"1", "1"}} {
		moved, err := s.RotateKeys(t.Context(), pair[0], pair[1], at)
		require.NoError(t, err)
		require.False(t, moved, pair)
	}
	got, err := s.Keys(t.Context())
	require.NoError(t, err)
	require.Equal(t, newKey("1", "RS256", keys.Active), got[0], "neither moved")
	moved, err := s.RotateKeys(t.Context(), "2", "1", at)
	require.NoError(t, err)
	require.True(t, moved)
	require.NoError(t, s.PinKeys(t.Context(), []string{"1", "3", "3"}, at))
	_, err = s.RemoveKey(t.Context(), "1", at)
	require.ErrorIs(t, err, keys.ErrPinned)
	unpinned := at.Add(time.Hour)
	require.NoError(t, s.PinKeys(t.Context(), []string{"3"}, unpinned))
	got, err = s.Keys(t.Context())
	require.NoError(t, err)
	require.Equal(t, unpinned, got[0].Changed.UTC(), "it may have signed until it was unpinned")
	removed, err := s.RemoveKey(t.Context(), "1", unpinned.Add(-time.Millisecond))
	require.NoError(t, err)
	require.False(t, removed, "it may have signed later")
	for id, want := range map[string]bool{"2": false, "1": true, "9": false} {
		removed, err := s.RemoveKey(t.Context(), id, unpinned)
		require.NoError(t, err)
		require.Equal(t, want, removed, id)
	}
	now := newKey("2", "RS256", keys.Active)
	now.Changed = at
	got, err = s.Keys(t.Context())
	require.NoError(t, err)
	require.Equal(t, []keys.Record{now, newKey("3", "ES256", keys.Active)}, got)
}

func testKeysAreWithdrawn(t *testing.T, s Store) {
	for _, k := range threeKeys() {
		_, err := s.AddKey(t.Context(), k)
		require.NoError(t, err)
	}
	require.NoError(t, s.PinKeys(t.Context(), []string{"1", "2"}, start))
	for _, c := range []struct {
		id   string
		want bool
	}{{"1", false}, {"9", false}, {"2", true}, {"2", false}} { // 1 is active
		withdrawn, err := s.WithdrawKey(t.Context(), c.id)
		require.NoError(t, err)
		require.Equal(t, c.want, withdrawn, c.id)
	}
	states, err := s.KeyStates(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]keys.State{"1": keys.Active, "3": keys.Active}, states)
}

func testConcurrentKeyChanges(t *testing.T, s Store) {
	_, err := s.AddKey(t.Context(), newKey("active", "RS256", keys.Active))
	require.NoError(t, err)
	requireOneSuccess(t, 16, func(n int) (bool, error) {
		return s.AddKey(t.Context(), newKey(fmt.Sprint(n), "RS256", keys.Next))
	})
	all, err := s.Keys(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	next := all[0].ID
	if next == "active" {
		next = all[1].ID
	}
	requireOneSuccess(t, 16, func(int) (bool, error) { return s.RotateKeys(t.Context(), next, "active", start) })
}
