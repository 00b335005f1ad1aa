package server_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/internal/pgtest"
	"idpbridge/internal/secret"
	"idpbridge/server"
	"idpbridge/server/servertest"
)

// TestDatabaseUnavailable lets PostgreSQL become read-only under a running server, as after
// a failover, and back. Responses say only that the service is unavailable.
func TestDatabaseUnavailable(t *testing.T) {
	t.Parallel()
	postgres, err := pgtest.Start()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, postgres.Stop()) })
	databaseURL := postgres.NewDatabase(t)
	admin, err := sql.Open("pgx", databaseURL)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, admin.Close()) })
	setReadOnly := func(on string) {
		_, err := admin.ExecContext(t.Context(), fmt.Sprintf(`DO $$ BEGIN
			EXECUTE format('ALTER DATABASE %%I SET default_transaction_read_only = %s', current_database());
			PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid(); END $$`, on))
		require.NoError(t, err)
	}
	s := servertest.Start(t, func(c *server.Config) { c.Settings.Store = secret.New(databaseURL) })
	ready := func() int {
		w := httptest.NewRecorder()
		s.HealthHandler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		return w.Code
	}
	b := servertest.NewBrowser(t)
	authorize := servertest.AuthorizeURL(s.Issuer)
	code := servertest.Response(t, b.SignIn(authorize, "jane", "jane-password")).Get("code")
	require.NotEmpty(t, code)
	require.Equal(t, http.StatusOK, ready())

	setReadOnly("on")
	failed := servertest.Response(t, b.Get(authorize))
	require.Equal(t, "temporarily_unavailable", failed.Get("error"), failed)
	require.Equal(t, http.StatusServiceUnavailable, ready(), "at once, not at the next probe")
	status, _ := servertest.RequestTokens(t, s.Issuer, code)
	require.Equal(t, http.StatusServiceUnavailable, status)
	page := servertest.NewBrowser(t).SignIn(authorize, "jane", "jane-password")
	require.Equal(t, http.StatusServiceUnavailable, page.Status)
	require.Equal(t, "5", page.Header.Get("Retry-After"))
	require.NotContains(t, page.Body, "read-only")
	for range 50 {
		b.Get(authorize)
	}
	require.LessOrEqual(t, strings.Count(s.Log.String(), "authorization failed"), 10, "the log is not flooded")

	setReadOnly("off")
	works := func() bool { return servertest.Response(t, b.Get(authorize)).Has("code") }
	require.Eventually(t, works, time.Minute, 10*time.Millisecond, "connections that were cut are replaced")
	require.Eventually(t, func() bool { return ready() == http.StatusOK }, time.Minute, 10*time.Millisecond)
	require.Contains(t, s.Log.String(), "ready again")
}
