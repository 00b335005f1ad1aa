package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrateTables migrates the tables to the newest version. With PostgreSQL, one process
// does so and the others wait.
func (s *Store) migrateTables(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	dialect, opts := database.DialectSQLite3, []goose.ProviderOption{}
	if !s.sqlite {
		dialect = database.DialectPostgres
		// A lock in a table, because a pooler may give each transaction another session.
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(200*time.Millisecond, 300))
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		opts = append(opts, goose.WithLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, s.write, files, opts...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	known := provider.ListSources()
	newest := known[len(known)-1].Version
	current, err := s.schemaVersion(ctx)
	if err == nil && current == newest {
		return nil // the usual start needs no lock
	}
	if current, err = provider.GetDBVersion(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if current > newest {
		return fmt.Errorf("the database %s was created by a newer version of idp "+
			"(schema version %d, this program supports %d); run the newer version", s.path, current, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// schemaVersion returns the version of the tables. It fails if there are none yet.
func (s *Store) schemaVersion(ctx context.Context) (version int64, err error) {
	err = s.write.QueryRowContext(ctx, "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied").Scan(&version)
	return version, err
}
