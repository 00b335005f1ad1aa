package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/upstream"
)

func testCanceledContext(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	require.NoError(t, s.RecordSignin(t.Context(), newSignin("i", "", "ann")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, redeemed := s.RedeemCode(ctx, "i", start, 0)
	_, _, found := s.FindSession(ctx, "b", start)
	_, added := s.AddKey(ctx, newKey("k", "RS256", keys.Next))
	_, sweep := s.Sweep(ctx, start)
	_, ended := s.EndSession(ctx, "b", start)
	_, _, rotated := s.RotateRefreshToken(ctx, newRotation(1))
	_, taken := s.TakeLogouts(ctx, start, start, 1)
	_, recorded := s.RecordAssertion(ctx, "liveengage", "a", start)
	for _, err := range []error{
		redeemed, found, added, sweep, s.Ping(ctx), s.RecordSignin(ctx, newSignin("j", "", "ann")), ended,
		s.ReplacePeople(ctx, slices.Values([]upstream.Account(nil)), start), s.StartSession(ctx, newSession("b", "ann")),
		rotated, taken, recorded, s.JoinSession(ctx, "b", "liveengage"),
	} {
		require.ErrorIs(t, err, context.Canceled)
	}
	require.NoError(t, s.Ping(t.Context()))
	_, _, err := s.RedeemCode(t.Context(), "i", start, 0)
	require.NoError(t, err)
}

func testSpecialCharacters(t *testing.T, s Store) {
	const odd = "Zoë 😀 '\"; -- $1 ?1 %s \\ \u202e\u0001\r\n\t\ufffd é 漢字"
	a := upstream.Account{Username: odd, PasswordHash: odd, Person: newPerson(odd)}
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{a}), start))
	got, err := s.AccountByUsername(t.Context(), odd)
	require.NoError(t, err)
	require.Equal(t, a, got)
	signin := newSignin(odd, "", "")
	signin.Reference, signin.ClientID, signin.Subject = odd, odd, odd
	signin.Grant.Nonce, signin.Grant.RedirectURI = odd, odd
	require.NoError(t, s.RecordSignin(t.Context(), signin))
	signin.State = oidc.Redeemed
	back, _, err := s.RedeemCode(t.Context(), odd, start, 0)
	require.NoError(t, err)
	require.Equal(t, signin, back)
}

func testUnstorableText(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	for _, bad := range []string{"ann\x00", "\x00", "caf\xe9"} {
		_, err := s.AccountByUsername(t.Context(), bad)
		require.ErrorIs(t, err, upstream.ErrNotFound, "%q", bad)
		accounts := slices.Values([]upstream.Account{newAccount(bad)})
		require.Error(t, s.ReplacePeople(t.Context(), accounts, start), "%q", bad)
	}
	_, err := s.AccountByUsername(t.Context(), "ann")
	require.NoError(t, err)
}

func testConcurrentWriters(t *testing.T, s Store) {
	replacePeople(t, s, "ann")
	for _, err := range runConcurrently(32, func(n int) error {
		sessionID := fmt.Sprint("b", n)
		err := s.StartSession(t.Context(), newSession(sessionID, "ann"))
		for i := range 5 {
			id := fmt.Sprint(sessionID, "-", i)
			recorded := s.RecordSignin(t.Context(), newSignin(id, sessionID, "ann"))
			_, _, redeemed := s.RedeemCode(t.Context(), id, start, 0)
			_, _, found := s.FindSession(t.Context(), sessionID, start)
			err = errors.Join(err, recorded, redeemed, found)
		}
		_, ended := s.EndSession(t.Context(), sessionID, start)
		return errors.Join(err, ended)
	}) {
		assert.NoError(t, err)
	}
}
