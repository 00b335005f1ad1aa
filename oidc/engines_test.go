package oidc_test

import (
	"testing"

	"idpbridge/internal/secret"
	"idpbridge/server"
)

// onEachEngine runs a test with a server on SQLite and with one on PostgreSQL.
func onEachEngine(t *testing.T, test func(t *testing.T, issuer string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		issuer, _ := start(t)
		test(t, issuer)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		database := secret.New(postgres.NewDatabase(t))
		issuer, _ := start(t, func(c *server.Config) { c.Settings.Store = database })
		test(t, issuer)
	})
}
