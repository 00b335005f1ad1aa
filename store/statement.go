package store

import (
	"context"
	"database/sql"
)

// statement is a query that runs often. SQLite prepares it once. PostgreSQL gets its text
// each time: prepared statements have names on a server connection, so they fail behind a
// pooler that shares connections between transactions, and after a change of a column's
// type by another version.
type statement struct {
	db       *sql.DB
	query    string
	prepared *sql.Stmt // nil with PostgreSQL
}

// newStatement prepares a query for the engine.
func (s *Store) newStatement(ctx context.Context, db *sql.DB, query string) (statement, error) {
	stmt := statement{db: db, query: s.adaptQuery(query)}
	if !s.sqlite {
		return stmt, nil
	}
	var err error
	stmt.prepared, err = db.PrepareContext(ctx, stmt.query)
	return stmt, err
}

func (s statement) ExecContext(ctx context.Context, args ...any) (sql.Result, error) {
	if s.prepared != nil {
		return s.prepared.ExecContext(ctx, args...)
	}
	return s.db.ExecContext(ctx, s.query, args...)
}

func (s statement) QueryContext(ctx context.Context, args ...any) (*sql.Rows, error) {
	if s.prepared != nil {
		return s.prepared.QueryContext(ctx, args...)
	}
	return s.db.QueryContext(ctx, s.query, args...)
}

func (s statement) QueryRowContext(ctx context.Context, args ...any) *sql.Row {
	if s.prepared != nil {
		return s.prepared.QueryRowContext(ctx, args...)
	}
	return s.db.QueryRowContext(ctx, s.query, args...)
}
