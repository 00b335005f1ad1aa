package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"idpbridge/internal/pgurl"
)

// openPostgres connects. The URL may contain a password, so no error quotes it.
func (s *Store) openPostgres(ctx context.Context, databaseURL string) error {
	cfg, err := pgurl.Parse(databaseURL)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if !strings.Contains(databaseURL, "default_query_exec_mode=") {
		// Statements of transactions have no names, so that they work behind a pooler.
		cfg.DefaultQueryExecMode = pgx.QueryExecModeExec
	}
	db := sql.OpenDB(stdlib.GetConnector(*cfg))
	db.SetMaxOpenConns(max(8, 4*runtime.NumCPU()))
	db.SetMaxIdleConns(max(8, 4*runtime.NumCPU()))
	db.SetConnMaxIdleTime(5 * time.Minute)
	s.read, s.write, s.path = db, db, cfg.Database
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("connect to PostgreSQL at %s, database %s: %w",
			cfg.Host, cfg.Database, explainConnectError(ctx, err))
	}
	return nil
}

// explainConnectError returns the server's message, without the settings of the
// connection, which may include a password.
func explainConnectError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return errors.New(e.Message)
	}
	return errors.New("no connection; check that it is running and that the URL is correct")
}
