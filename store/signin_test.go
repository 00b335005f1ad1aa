package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/store"
	"idpbridge/upstream"
)

// storeWithSession returns a store with one person who has the session b, and a sign-in of
// that session that is not stored yet.
func storeWithSession(t testing.TB, cfg store.Config) (*store.Store, oidc.Signin, time.Time) {
	t.Helper()
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	s := openStore(t, cfg)
	ann := upstream.Account{Username: "ann", Person: claims.Person{Subject: "1"}}
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{ann}), at))
	browser := session.Session{ID: "b", Subject: "1", Expires: at.Add(time.Hour), Ends: at.Add(time.Hour)}
	require.NoError(t, s.StartSession(t.Context(), browser))
	return s, oidc.Signin{
		ID: "i", SessionID: "b", Subject: "1", State: oidc.Issued,
		Created: at, CodeExpires: at.Add(time.Minute), Expires: at.Add(time.Hour),
	}, at
}

func TestRedeemAfterSessionEnded(t *testing.T) {
	t.Parallel()
	for _, cfg := range allConfigs(t) {
		s, in, at := storeWithSession(t, cfg)
		require.NoError(t, s.RecordSignin(t.Context(), in))
		_, err := s.EndSession(t.Context(), "b", at)
		require.NoError(t, err)
		in.ID = "late" // stored just after the session ended
		require.NoError(t, s.RecordSignin(t.Context(), in))
		for _, id := range []string{"i", "late"} {
			_, _, err := s.RedeemCode(t.Context(), id, at, 0)
			require.ErrorIs(t, err, oidc.ErrNotFound, id)
		}
	}
}

// BenchmarkSignin measures one sign-in: Answer, FindSession and Redeem.
func BenchmarkSignin(b *testing.B) {
	s, in, at := storeWithSession(b, store.Config{Path: databasePath(b)})
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		in.ID = fmt.Sprintf("%022d", n)
		n++
		if err := s.RecordSignin(b.Context(), in); err != nil {
			b.Fatal(err)
		}
		if _, _, err := s.FindSession(b.Context(), "b", at); err != nil {
			b.Fatal(err)
		}
		if _, _, err := s.RedeemCode(b.Context(), in.ID, at, 0); err != nil {
			b.Fatal(err)
		}
	}
}
