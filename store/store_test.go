package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
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

// postgres is nil if PostgreSQL is not installed.
var postgres *pgtest.Server

func TestMain(m *testing.M) { os.Exit(execAll(m)) }

func execAll(m *testing.M) int {
	var err error
	if postgres, err = pgtest.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if !errors.Is(err, pgtest.ErrNotInstalled) {
			return 1
		}
	}
	code := m.Run()
	if postgres != nil {
		if err := postgres.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	return code
}

func openStore(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func databasePath(t testing.TB) string { return filepath.Join(t.TempDir(), "idp.db") }

// allConfigs returns a new database of each engine that is installed.
func allConfigs(t testing.TB) []store.Config {
	t.Helper()
	configs := []store.Config{{Path: databasePath(t)}}
	if postgres != nil {
		configs = append(configs, store.Config{URL: postgres.NewDatabase(t)})
	}
	return configs
}

func TestSQLite(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) storetest.Store { return openStore(t, store.Config{Path: databasePath(t)}) })
}

func TestPostgres(t *testing.T) {
	t.Parallel()
	require.NotNil(t, postgres, pgtest.ErrNotInstalled)
	storetest.Run(t, func(t *testing.T) storetest.Store {
		return openStore(t, store.Config{URL: postgres.NewDatabase(t)})
	})
}

func TestPostgresOpenConcurrently(t *testing.T) {
	t.Parallel()
	require.NotNil(t, postgres, pgtest.ErrNotInstalled)
	databaseURL := postgres.NewDatabase(t)
	results := make(chan error)
	for range 4 {
		go func() {
			s, err := store.Open(t.Context(), store.Config{URL: databaseURL})
			if err == nil {
				err = s.Close()
			}
			results <- err
		}()
	}
	for range 4 {
		require.NoError(t, <-results)
	}
}

func TestRecentSignins(t *testing.T) {
	t.Parallel()
	s := openStore(t, store.Config{URL: databasePath(t)})
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	ann := upstream.Account{Username: "ann", Person: claims.Person{Subject: "1"}}
	require.NoError(t, s.ReplacePeople(t.Context(), slices.Values([]upstream.Account{ann}), at))
	for i, subject := range []string{"1", "gone", "1"} {
		require.NoError(t, s.RecordSignin(t.Context(), oidc.Signin{
			ID: fmt.Sprint(i), Subject: subject, State: oidc.Issued, Created: at.Add(time.Duration(i) * time.Second),
			Refresh: oidc.Refresh{Number: i, Issued: at, Expires: at.Add(time.Hour), Ends: at.Add(2 * time.Hour)},
		}))
	}
	got, err := s.RecentSignins(t.Context(), 2)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Equal(t, "2", got[0].ID)
	require.Equal(t, "ann", got[0].Username)
	refresh := oidc.Refresh{Number: 2, Issued: at, Expires: at.Add(time.Hour), Ends: at.Add(2 * time.Hour)}
	require.Equal(t, refresh, got[0].Refresh)
	require.Equal(t, "1", got[1].ID)
	require.Empty(t, got[1].Username)
}

func BenchmarkSQLite(b *testing.B) {
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	s := openStore(b, store.Config{Path: databasePath(b)})
	ctx := b.Context()
	ann := upstream.Account{Username: "ann", Person: claims.Person{Subject: "1"}}
	require.NoError(b, s.ReplacePeople(ctx, slices.Values([]upstream.Account{ann}), at))
	browser := session.Session{ID: "b", Subject: "1", Expires: at.Add(time.Hour), Ends: at.Add(time.Hour)}
	require.NoError(b, s.StartSession(ctx, browser))
	in := oidc.Signin{
		Reference: "r", ClientID: "liveengage", SessionID: "b", Subject: "1", State: oidc.Issued,
		Created: at, CodeExpires: at.Add(time.Minute), Expires: at.Add(time.Hour),
		Grant: oidc.Grant{RedirectURI: "https://c.example/cb", Scopes: []string{"openid"}, Nonce: "n"},
	}
	b.Run("FindSession", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.FindSession(ctx, "b", at); err != nil {
				b.Fatal(err)
			}
		}
	})
	n := 0
	b.Run("Answer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			in.ID = fmt.Sprintf("%022d", n)
			n++
			if err := s.RecordSignin(ctx, in); err != nil {
				b.Fatal(err)
			}
		}
	})
	redeemed := 0
	b.Run("Redeem", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if redeemed == n { // insert another thousand outside the measurement
				b.StopTimer()
				for range 1000 {
					in.ID = fmt.Sprintf("%022d", n)
					n++
					require.NoError(b, s.RecordSignin(ctx, in))
				}
				b.StartTimer()
			}
			id := fmt.Sprintf("%022d", redeemed)
			redeemed++
			if _, _, err := s.RedeemCode(ctx, id, at, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkSweep measures sign-ins while a hundred thousand expired rows are swept: the
// ratio to sign-ins alone is in the metric "slowdown".
func BenchmarkSweep(b *testing.B) {
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	s := openStore(b, store.Config{Path: databasePath(b)})
	ctx := b.Context()
	n := 0
	record := func(expires time.Time) {
		n++
		signin := oidc.Signin{ID: fmt.Sprintf("%022d", n), State: oidc.Issued, Created: at, Expires: expires}
		if err := s.RecordSignin(ctx, signin); err != nil {
			b.Fatal(err)
		}
	}
	for range 100_000 {
		record(at)
	}
	const signins = 500
	measure := func() time.Duration {
		start := time.Now()
		for range signins {
			record(at.Add(time.Hour))
		}
		return time.Since(start)
	}
	for b.Loop() {
		alone := measure()
		sweeping, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { _, err := s.Sweep(sweeping, at); done <- err }()
		during := measure()
		stop()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			b.Fatal(err)
		}
		b.ReportMetric(float64(during)/float64(alone), "slowdown")
	}
}
