package pgtest_test

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/pgtest"
)

func TestServer(t *testing.T) {
	t.Parallel()
	s, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Stop()) })

	first, second := s.NewDatabase(t), s.NewDatabase(t)
	require.NotEqual(t, first, second)
	for _, databaseURL := range []string{first, second} {
		db, err := sql.Open("pgx", databaseURL)
		require.NoError(t, err)
		_, err = db.ExecContext(t.Context(), "CREATE TABLE only_here (id TEXT)")
		require.NoError(t, err)
		require.NoError(t, db.Close())
	}
}
