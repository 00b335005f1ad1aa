package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// statement is a query that runs often. SQLite prepares it once. PostgreSQL prepares it on
// each connection, which saves planning it again, as long as that works; see
// runOnPostgres.
type statement struct {
	db       *sql.DB
	query    string
	prepared *sql.Stmt    // nil with PostgreSQL
	pooled   *atomic.Bool // with PostgreSQL: see Store.pooled
}

// newStatement prepares a query for the engine.
func (s *Store) newStatement(ctx context.Context, db *sql.DB, query string) (statement, error) {
	stmt := statement{db: db, query: s.adaptQuery(query), pooled: &s.pooled}
	if !s.sqlite {
		return stmt, nil
	}
	var err error
	stmt.prepared, err = db.PrepareContext(ctx, stmt.query)
	return stmt, err
}

// ExecContext runs a statement without result rows.
func (s statement) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	if s.prepared != nil {
		return s.prepared.ExecContext(ctx, args...)
	}
	return runOnPostgres(s, args, func(args []any) (sql.Result, error) {
		return s.db.ExecContext(ctx, s.query, args...)
	})
}

// QueryContext runs a statement with result rows.
func (s statement) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	if s.prepared != nil {
		return s.prepared.QueryContext(ctx, args...)
	}
	return runOnPostgres(s, args, func(args []any) (*sql.Rows, error) {
		return s.db.QueryContext(ctx, s.query, args...)
	})
}

// QueryRowContext runs a statement with at most one result row.
func (s statement) QueryRowContext(ctx context.Context, args ...any) scanner {
	if s.prepared != nil {
		return s.prepared.QueryRowContext(ctx, args...)
	}
	rows, err := s.QueryContext(ctx, args...) //nolint:rowserrcheck // Scan reads the rows and their error
	return singleRow{rows, err}
}

// singleRow is the first row of a result, as sql.Row is.
type singleRow struct {
	rows *sql.Rows
	err  error
}

func (r singleRow) Scan(dest ...any) error {
	if r.err != nil {
		return r.err
	}
	defer func() { _ = r.rows.Close() }()
	if !r.rows.Next() {
		if err := r.rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	if err := r.rows.Scan(dest...); err != nil {
		return err
	}
	return r.rows.Close()
}

// runOnPostgres runs a statement that pgx prepares by name. If the server does not accept
// the prepared statement, it has not run, and is sent again as text. That happens when
// another version changes the type of a column, and behind a pooler that shares
// connections between transactions; there all further statements are sent as text.
func runOnPostgres[T any](s statement, args []any, run func(args []any) (T, error)) (T, error) {
	if s.pooled.Load() {
		return run(args)
	}
	result, err := run(append([]any{pgx.QueryExecModeCacheStatement}, args...))
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return result, err
	}
	switch e.Code {
	case "26000", "42P05": // no such prepared statement, or one by that name already
		s.pooled.Store(true)
		return run(args)
	case "0A000": // the result of a prepared statement would change its type
		if strings.Contains(e.Routine, "RevalidateCachedQuery") {
			return run(args)
		}
	}
	return result, err
}
