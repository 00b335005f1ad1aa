package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/claims"
	"idpbridge/internal/pgtest"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/store"
	"idpbridge/store/storetest"
	"idpbridge/upstream"
)

// TestPostgresThroughPooler runs the contract through PgBouncer, which gives every
// transaction another connection to the server.
func TestPostgresThroughPooler(t *testing.T) {
	t.Parallel()
	require.NotNil(t, postgres, pgtest.ErrNotInstalled)
	through := postgres.StartPooler(t)
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return openStore(t, store.Config{URL: through(postgres.NewDatabase(t))})
	})
}

// TestPostgresColumnTypeChanges changes a column under a running process, as the migration
// of another version may.
func TestPostgresColumnTypeChanges(t *testing.T) {
	t.Parallel()
	require.NotNil(t, postgres, pgtest.ErrNotInstalled)
	databaseURL := postgres.NewDatabase(t)
	s := openStore(t, store.Config{URL: databaseURL})
	other, err := sql.Open("pgx", databaseURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, other.Close()) }()
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	ann := upstream.Account{Username: "ann", Person: claims.Person{Subject: "1"}}
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{ann}), at))
	require.NoError(t, s.StartSession(t.Context(), session.Session{
		ID: "b", Subject: "1", Expires: at.Add(time.Hour), Ends: at.Add(time.Hour),
	}))
	for _, change := range []string{
		"SELECT 1",
		"ALTER TABLE session ALTER COLUMN acr TYPE varchar(200)",
		"ALTER TABLE signin ALTER COLUMN reference TYPE varchar(100)",
		"ALTER TABLE signin ADD COLUMN more TEXT NOT NULL DEFAULT ''",
		"ALTER TABLE session ALTER COLUMN acr TYPE text",
	} {
		_, err := other.ExecContext(t.Context(), change)
		require.NoError(t, err)
		for range 3 { // more than one connection
			_, _, err = s.FindSession(t.Context(), "b", at)
			require.NoError(t, err, change)
		}
		require.NoError(t, s.RecordSignin(t.Context(), oidc.Signin{
			ID: change, Subject: "1", State: oidc.Issued, CodeExpires: at.Add(time.Minute), Expires: at.Add(time.Hour),
		}))
		_, _, err = s.RedeemCode(t.Context(), change, at, 0)
		require.NoError(t, err, change)
	}
}

func TestProbeWrite(t *testing.T) {
	t.Parallel()
	for _, cfg := range allConfigs(t) {
		s := openStore(t, cfg)
		for i := range 2 {
			require.NoError(t, s.ProbeWrite(t.Context(), time.UnixMilli(int64(i))))
		}
	}
	require.NotNil(t, postgres, pgtest.ErrNotInstalled)
	databaseURL := postgres.NewDatabase(t)
	openStore(t, store.Config{URL: databaseURL})
	readOnly := openStore(t, store.Config{URL: databaseURL + "&default_transaction_read_only=on"})
	require.NoError(t, readOnly.Ping(t.Context()))
	require.ErrorContains(t, readOnly.ProbeWrite(t.Context(), time.UnixMilli(1)), "read-only")
}

// BenchmarkPostgres measures what a sign-in does: directly, and through a pooler, where
// statements cannot be prepared.
func BenchmarkPostgres(b *testing.B) {
	require.NotNil(b, postgres, pgtest.ErrNotInstalled)
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	through := postgres.StartPooler(b)
	for name, databaseURL := range map[string]string{
		"direct": postgres.NewDatabase(b), "pooler": through(postgres.NewDatabase(b)),
	} {
		s := openStore(b, store.Config{URL: databaseURL})
		ann := upstream.Account{Username: "ann", Person: claims.Person{Subject: "1"}}
		require.NoError(b, s.ReplacePeople(b.Context(), slices.Values([]upstream.Account{ann}), at))
		require.NoError(b, s.StartSession(b.Context(), session.Session{
			ID: "b", Subject: "1", Expires: at.Add(time.Hour), Ends: at.Add(time.Hour),
		}))
		n := 0
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n++
				_, _, err := s.FindSession(b.Context(), "b", at)
				require.NoError(b, err)
				id := fmt.Sprintf("%022d", n)
				signin := oidc.Signin{
					ID: id, Subject: "1", State: oidc.Issued, CodeExpires: at.Add(time.Minute), Expires: at.Add(time.Hour),
				}
				require.NoError(b, s.RecordSignin(b.Context(), signin))
				_, _, err = s.RedeemCode(b.Context(), id, at, 0)
				require.NoError(b, err)
			}
		})
	}
}
