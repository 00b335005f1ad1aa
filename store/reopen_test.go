package store_test

import (
	"database/sql"
	"os"
	"testing"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/store"
)

// TestLogoutsSurviveReopening ends a session and reopens the store twice: before its
// logouts are taken, and after.
func TestLogoutsSurviveReopening(t *testing.T) {
	t.Parallel()
	for _, cfg := range allConfigs(t) {
		s, signin, at := storeWithSession(t, cfg)
		signin.ClientID, signin.State = "web", oidc.Redeemed
		signin.Refresh = oidc.Refresh{Number: 1, Issued: at, Expires: signin.Expires, Ends: signin.Expires}
		signin.SessionID = "" // so that the end of the session does not close it
		require.NoError(t, s.RecordSignin(t.Context(), signin))
		rotation := oidc.Rotation{ID: "i", ClientID: "web", Number: 1, At: at, Idle: time.Minute, Grace: time.Second}
		want, _, err := s.RotateRefreshToken(t.Context(), rotation)
		require.NoError(t, err)
		require.NoError(t, s.JoinSession(t.Context(), "b", "web"))
		_, err = s.EndSession(t.Context(), "b", at)
		require.NoError(t, err)
		first, err := s.RecordAssertion(t.Context(), "web", "a", at)
		require.NoError(t, err)
		require.True(t, first)

		ended := at
		for tries := range 2 {
			require.NoError(t, s.Close())
			s = openStore(t, cfg)
			at := at.Add(time.Duration(tries) * time.Hour)
			got, err := s.TakeLogouts(t.Context(), at, at.Add(time.Hour), 9)
			require.NoError(t, err)
			want := oidc.Logout{SessionID: "b", ClientID: "web", Subject: "1", Created: ended, Tries: tries + 1}
			require.Equal(t, []oidc.Logout{want}, got)
			got, err = s.TakeLogouts(t.Context(), at, at.Add(time.Hour), 9)
			require.NoError(t, err)
			require.Empty(t, got)
		}
		again, _, err := s.RotateRefreshToken(t.Context(), rotation)
		require.NoError(t, err)
		require.Equal(t, want, again)
		first, err = s.RecordAssertion(t.Context(), "web", "a", at)
		require.NoError(t, err)
		require.False(t, first)
	}
}

// TestUpgrade opens a database that the first release created.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	type old struct {
		driver, source string
		dialect        database.Dialect
		cfg            store.Config
	}
	path := databasePath(t)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	olds := []old{{"sqlite", path, database.DialectSQLite3, store.Config{Path: path}}}
	if postgres != nil {
		databaseURL := postgres.NewDatabase(t)
		olds = append(olds, old{"pgx", databaseURL, database.DialectPostgres, store.Config{URL: databaseURL}})
	}
	for _, o := range olds {
		db, err := sql.Open(o.driver, o.source)
		require.NoError(t, err)
		first, err := goose.NewProvider(o.dialect, db, os.DirFS("migrations"))
		require.NoError(t, err)
		_, err = first.UpTo(t.Context(), 1)
		require.NoError(t, err)
		for _, row := range []string{
			`INSERT INTO person VALUES ('1', 'ann', '', '{"subject":"1"}')`,
			`INSERT INTO session VALUES ('b', '', '1', '', '', 1, 1, 1, 5000, 5000)`,
			`INSERT INTO signin VALUES ('i', 'r', 'web', 'b', '1', 1, 1000, 2000, 3000, '{}')`,
		} {
			_, err = db.ExecContext(t.Context(), row)
			require.NoError(t, err)
		}
		require.NoError(t, db.Close())

		s := openStore(t, o.cfg)
		at := time.UnixMilli(1500).UTC()
		in, _, err := s.RedeemCode(t.Context(), "i", at, 0)
		require.NoError(t, err)
		require.Equal(t, oidc.Signin{
			ID: "i", Reference: "r", ClientID: "web", SessionID: "b", Subject: "1", State: oidc.Redeemed,
			Created: time.UnixMilli(1000).UTC(), CodeExpires: time.UnixMilli(2000).UTC(), Expires: time.UnixMilli(3000).UTC(),
		}, in)
		_, _, err = s.RotateRefreshToken(t.Context(), oidc.Rotation{
			ID: "i", ClientID: "web", Number: 1, At: at, Idle: time.Hour, Grace: time.Hour,
		})
		require.ErrorIs(t, err, oidc.ErrNotFound)
		clients, err := s.EndSession(t.Context(), "b", at)
		require.NoError(t, err)
		require.Empty(t, clients)
	}
}
