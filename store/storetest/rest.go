package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

func peopleReplaced(t *testing.T, s Store) {
	people(t, s, "cid", "ann", "bob")
	got, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{account("ann"), account("bob"), account("cid")}, got)
	one, err := s.AccountByUsername(t.Context(), "bob")
	require.NoError(t, err)
	require.Equal(t, account("bob"), one)

	people(t, s, "ann", "dan")
	_, err = s.AccountByUsername(t.Context(), "bob")
	require.ErrorIs(t, err, upstream.ErrNotFound)
	got, err = s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{account("ann"), account("dan")}, got)
	people(t, s)
	got, err = s.Accounts(t.Context())
	require.NoError(t, err)
	require.Empty(t, got)
}

func peopleLose(t *testing.T, s Store) {
	people(t, s, "ann", "bob", "cid")
	for _, name := range []string{"ann", "bob", "cid"} {
		require.NoError(t, s.StartSession(t.Context(), newSession(name, name)))
		require.NoError(t, s.Answer(t.Context(), signin(name, name, name)))
	}
	changed := account("bob")
	changed.PasswordHash = "another"
	renamed := account("ann")
	renamed.Username = "anna"
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{renamed, changed}, start))
	people(t, s, "ann", "bob", "cid")
	// Bob's hash changed back, and cid came back: neither brings anything back.
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

func peopleSwap(t *testing.T, s Store) {
	people(t, s, "ann", "bob")
	a, b := account("ann"), account("bob")
	a.Username, b.Username = b.Username, a.Username
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{a, b}, start))
	got, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{b, a}, got)
}

func peopleClash(t *testing.T, s Store) {
	people(t, s, "ann")
	sameName := account("bob")
	sameName.Username = "cid"
	require.Error(t, s.ReplacePeople(t.Context(), []upstream.Account{sameName, account("cid")}, start))
	require.Error(t, s.ReplacePeople(t.Context(), []upstream.Account{account("bob"), account("bob")}, start))
	got, err := s.Accounts(t.Context())
	require.NoError(t, err)
	require.Equal(t, []upstream.Account{account("ann")}, got)
}

func key(id, algorithm string, state keys.State) keys.Record {
	return keys.Record{ID: id, Algorithm: algorithm, State: state, Sealed: "sealed " + id, Created: start, Changed: start}
}

func keyAdded(t *testing.T, s Store) {
	for _, c := range []struct {
		key  keys.Record
		want bool
	}{
		{key("1", "RS256", keys.Active), true},
		{key("2", "RS256", keys.Active), false},
		{key("1", "RS256", keys.Next), false}, // the id is taken
		{key("2", "RS256", keys.Next), true},
		{key("3", "RS256", keys.Next), false},
		{key("3", "ES256", keys.Active), true},
	} {
		added, err := s.AddKey(t.Context(), c.key)
		require.NoError(t, err)
		require.Equal(t, c.want, added, c.key)
	}
	_, err := s.AddKey(t.Context(), key("4", "PS256", keys.Retiring))
	require.Error(t, err)
	got, err := s.Keys(t.Context())
	require.NoError(t, err)
	require.Equal(t, []keys.Record{key("1", "RS256", keys.Active), key("2", "RS256", keys.Next), key("3", "ES256", keys.Active)}, got)
}

func keyRotated(t *testing.T, s Store) {
	for _, k := range []keys.Record{key("1", "RS256", keys.Active), key("2", "RS256", keys.Next), key("3", "ES256", keys.Active)} {
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
	require.Equal(t, key("1", "RS256", keys.Active), got[0], "neither moved")
	moved, err := s.RotateKeys(t.Context(), "2", "1", at)
	require.NoError(t, err)
	require.True(t, moved)
	require.NoError(t, s.PinKeys(t.Context(), []string{"1", "3", "3"}))
	_, err = s.RemoveKey(t.Context(), "1")
	require.ErrorIs(t, err, keys.ErrPinned)
	require.NoError(t, s.PinKeys(t.Context(), []string{"3"}))
	for id, want := range map[string]bool{"2": false, "1": true, "9": false} {
		removed, err := s.RemoveKey(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, want, removed, id)
	}
	now := key("2", "RS256", keys.Active)
	now.Changed = at
	got, err = s.Keys(t.Context())
	require.NoError(t, err)
	require.Equal(t, []keys.Record{now, key("3", "ES256", keys.Active)}, got)
}

func keyRaces(t *testing.T, s Store) {
	once := func(do func(n int) (bool, error)) {
		won := make([]bool, 16)
		for _, err := range together(16, func(n int) (err error) {
			won[n], err = do(n)
			return err
		}) {
			require.NoError(t, err)
		}
		count := 0
		for _, w := range won {
			if w {
				count++
			}
		}
		require.Equal(t, 1, count)
	}
	_, err := s.AddKey(t.Context(), key("active", "RS256", keys.Active))
	require.NoError(t, err)
	once(func(n int) (bool, error) { return s.AddKey(t.Context(), key(fmt.Sprint(n), "RS256", keys.Next)) })
	all, err := s.Keys(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	next := all[0].ID
	if next == "active" {
		next = all[1].ID
	}
	once(func(int) (bool, error) { return s.RotateKeys(t.Context(), next, "active", start) })
}

func swept(t *testing.T, s Store) {
	people(t, s, "ann")
	require.NoError(t, s.StartSession(t.Context(), newSession("b", "ann")))
	longer := newSession("longer", "ann")
	longer.Expires = longer.Ends
	require.NoError(t, s.StartSession(t.Context(), longer))
	const many = 1100 // more than one batch
	for i := range many {
		require.NoError(t, s.Answer(t.Context(), signin(fmt.Sprint(i), "", "ann")))
	}
	require.NoError(t, s.CloseSignin(t.Context(), "1"))
	_, _, err := s.Redeem(t.Context(), "0", start)
	require.NoError(t, err)

	n, err := s.Sweep(t.Context(), start.Add(signinLife-time.Millisecond))
	require.NoError(t, err)
	require.Zero(t, n)
	_, _, err = s.Redeem(t.Context(), "0", start.Add(signinLife-time.Millisecond))
	require.ErrorIs(t, err, oidc.ErrReplayed)
	n, err = s.Sweep(t.Context(), start.Add(signinLife))
	require.NoError(t, err)
	require.Equal(t, many+1, n)
	_, _, err = s.FindSession(t.Context(), "longer", start)
	require.NoError(t, err)
}

func cancelled(t *testing.T, s Store) {
	people(t, s, "ann")
	require.NoError(t, s.Answer(t.Context(), signin("i", "", "ann")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, redeemed := s.Redeem(ctx, "i", start)
	_, _, found := s.FindSession(ctx, "b", start)
	_, added := s.AddKey(ctx, key("k", "RS256", keys.Next))
	_, sweep := s.Sweep(ctx, start)
	_, ended := s.EndSession(ctx, "b", start)
	_, _, rotated := s.Rotate(ctx, rotation(1))
	_, taken := s.TakeLogouts(ctx, start, start, 1)
	_, spent := s.SpendAssertion(ctx, "liveengage", "a", start)
	for _, err := range []error{
		redeemed, found, added, sweep, s.Ping(ctx), s.Answer(ctx, signin("j", "", "ann")), ended,
		s.ReplacePeople(ctx, nil, start), s.StartSession(ctx, newSession("b", "ann")),
		rotated, taken, spent, s.JoinSession(ctx, "b", "liveengage"),
	} {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, s.Ping(t.Context()))
	_, _, err := s.Redeem(t.Context(), "i", start)
	require.NoError(t, err)
}

func strange(t *testing.T, s Store) {
	const odd = "Zoë 😀 '\"; -- $1 ?1 %s \\ \u202e\u0001\r\n\t\ufffd é 漢字"
	a := upstream.Account{Username: odd, PasswordHash: odd, Person: person(odd)}
	require.NoError(t, s.ReplacePeople(t.Context(), []upstream.Account{a}, start))
	got, err := s.AccountByUsername(t.Context(), odd)
	require.NoError(t, err)
	require.Equal(t, a, got)
	in := signin(odd, "", "")
	in.Reference, in.ClientID, in.Subject, in.Grant.Nonce, in.Grant.RedirectURI = odd, odd, odd, odd, odd
	require.NoError(t, s.Answer(t.Context(), in))
	in.State = oidc.Redeemed
	back, _, err := s.Redeem(t.Context(), odd, start)
	require.NoError(t, err)
	require.Equal(t, in, back)
}

func claimed(t *testing.T, s Store) {
	owner, err := s.Owner(t.Context())
	require.NoError(t, err)
	require.Empty(t, owner)
	for _, name := range []string{"first", "second", "first"} {
		owner, err := s.ClaimOwnership(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, "first", owner, name)
	}
}
