package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// openPostgres connects. The address may hold a password, so no error repeats
// it.
func (s *Store) openPostgres(ctx context.Context, address string) error {
	cfg, err := pgx.ParseConfig(address)
	if err != nil {
		return errors.New("open database: the PostgreSQL address is not of the form postgres://user@host/database")
	}
	db := sql.OpenDB(stdlib.GetConnector(*cfg))
	db.SetMaxOpenConns(max(8, 4*runtime.NumCPU()))
	db.SetMaxIdleConns(max(8, 4*runtime.NumCPU()))
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.read, s.write, s.path = db, db, cfg.Database
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("PostgreSQL at %s, database %s, does not let us in: %w", cfg.Host, cfg.Database, explainConnectError(ctx, err))
	}
	return nil
}

// explainConnectError is the server's own words, without the connection's settings.
func explainConnectError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return errors.New(e.Message)
	}
	return errors.New("no connection; is it running, and is the address right?")
}
