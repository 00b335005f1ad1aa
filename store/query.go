package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"idpbridge/oidc"
)

// adaptQuery writes the parameters of a query for the engine: ?1 instead of $1 for SQLite.
func (s *Store) adaptQuery(query string) string {
	if s.sqlite {
		return strings.ReplaceAll(query, "$", "?")
	}
	return query
}

// exec runs a statement outside a transaction and returns the number of changed rows.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	return rowsAffected(s.write.ExecContext(ctx, s.adaptQuery(query), args...))
}

// rowsAffected returns the number of rows that a statement changed.
func rowsAffected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// execFunc runs a statement and returns the number of changed rows.
type execFunc func(query string, args ...any) (int64, error)

// execAll runs statements with the same parameters, one after the other.
func execAll(exec execFunc, args []any, statements ...string) error {
	for _, statement := range statements {
		if _, err := exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}

// txBeginner is a pool or one of its connections.
type txBeginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// inTransaction runs a function in one transaction.
func (s *Store) inTransaction(ctx context.Context, db txBeginner, do func(exec execFunc, tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	exec := func(query string, args ...any) (int64, error) {
		return rowsAffected(tx.ExecContext(ctx, s.adaptQuery(query), args...))
	}
	if err := do(exec, tx); err != nil {
		// A canceled context has rolled back already.
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

// inDurableTransaction runs a function in one transaction and returns after its changes
// are on disk. Keys and people need that, so that a power failure cannot undo their
// changes. PostgreSQL always does so.
func (s *Store) inDurableTransaction(ctx context.Context, do func(exec execFunc, tx *sql.Tx) error) error {
	if !s.sqlite {
		return s.inTransaction(ctx, s.write, do)
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.ExecContext(ctx, "PRAGMA synchronous=FULL"); err != nil {
		return err
	}
	err = s.inTransaction(ctx, conn, do)
	// If this fails, later writes are slower, but as safe. It runs even if the caller's
	// context has been canceled.
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous=NORMAL")
	return err
}

// scanner is one row of a result.
type scanner interface{ Scan(dest ...any) error }

// queryer is a pool, a connection or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// queryAll runs a query and scans every row. SQLite commits a statement that changes rows
// only when all of them have been read.
func queryAll[T any](
	ctx context.Context, db queryer, scan func(row scanner) (T, error), query string, args ...any,
) ([]T, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []T
	for rows.Next() {
		item, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, item)
	}
	return all, rows.Err()
}

// queryOnce runs a statement that changes at most one row and scans that row. It returns
// sql.ErrNoRows if there is none. It reads past the row, because SQLite commits only when
// the statement is done.
func queryOnce(ctx context.Context, stmt statement, scan func(row scanner) error, args ...any) error {
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	if rows.Next() {
		err = scan(rows)
		rows.Next()
	} else {
		err = sql.ErrNoRows
	}
	//nolint:sqlclosecheck // the error of Close tells whether the change was committed
	if failed := errors.Join(rows.Err(), rows.Close()); failed != nil {
		return failed
	}
	return err
}

// isText reports whether both engines can store s. PostgreSQL accepts neither NUL nor invalid
// UTF-8.
func isText(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }

// wrapError adds what failed to an error, and oidc.ErrUnavailable if the database is
// unavailable. A nil error stays nil.
func wrapError(doing string, err error) error {
	if err == nil {
		return nil
	}
	if isUnavailable(err) {
		return fmt.Errorf("%s: %w: %w", doing, oidc.ErrUnavailable, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// toMillis returns a time as it is stored, in milliseconds since 1970. The zero time is 0.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// toInt returns 1 for true and 0 for false: both engines store a number.
func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// fromMillis is the inverse of toMillis.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
