package store

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

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
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		opts = append(opts, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(dialect, s.write, files, opts...)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	known := provider.ListSources()
	current, err := provider.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if newest := known[len(known)-1].Version; current > newest {
		return fmt.Errorf("the database %s was created by a newer version of idp "+
			"(schema version %d, this program supports %d); run the newer version", s.path, current, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}
