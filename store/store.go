// Package store keeps rows: people, sessions, sign-ins, logouts and signing keys,
// in SQLite or PostgreSQL, by the same statements.
//
// Read store.go first; each table has a file of its own. The contract that both
// engines pass is package storetest.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
	"github.com/pressly/goose/v3/lock"

	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

//go:embed migrations/*.sql
var migrations embed.FS

var (
	_ oidc.Signins    = (*Store)(nil)
	_ oidc.Logouts    = (*Store)(nil)
	_ oidc.Assertions = (*Store)(nil)
	_ session.Store   = (*Store)(nil)
	_ upstream.People = (*Store)(nil)
	_ keys.Store      = (*Store)(nil)
)

// Config says where the rows are.
type Config struct {
	// URL is postgres://… or postgresql://… for PostgreSQL. Anything else without
	// a scheme is the path of a SQLite file; empty means Path.
	URL string
	// Path is the SQLite file where URL is empty. Its folder must exist.
	Path string
}

// isPostgres says whether the rows are in PostgreSQL.
func (c Config) isPostgres() bool {
	return strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://")
}

// Store implements the ports of packages oidc, web, upstream and keys. It is
// safe for concurrent use, and with PostgreSQL any number of processes may
// share one database.
type Store struct {
	read, write *sql.DB // the same with PostgreSQL
	sqlite      bool
	path        string // the SQLite file or the PostgreSQL database, for errors
	stmts       preparedStatements
}

// preparedStatements are the statements of the path that every sign-in takes, prepared once.
type preparedStatements struct {
	answer, redeem, replay, find, rotate, successor, session, start, renew, touch, join, account, spend *sql.Stmt
}

// Open opens the database and brings its tables up to date. Whatever is wrong
// with it is an error in one line, and nothing in it is changed by then.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{sqlite: !cfg.isPostgres()}
	var err error
	switch {
	case !s.sqlite:
		err = s.openPostgres(ctx, cfg.URL)
	case strings.Contains(cfg.URL, "://"):
		// The address may hold a password, so it is not repeated.
		err = errors.New("open database: the address must begin with postgres:// or postgresql://, or be the path of a SQLite file")
	case cfg.URL != "":
		err = s.openSQLite(ctx, cfg.URL)
	default:
		err = s.openSQLite(ctx, cfg.Path)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.migrateTables(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.prepareStatements(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare statements: %w", err), s.Close())
	}
	return s, nil
}

// Close closes the database; statements in flight end first.
func (s *Store) Close() error {
	var err error
	if s.write != nil && s.write != s.read {
		err = s.write.Close()
	}
	if s.read != nil {
		err = errors.Join(err, s.read.Close())
	}
	return err
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return wrapError("ping database", s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// migrateTables brings the tables up to date. With PostgreSQL one process does it and
// the others wait.
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
		return fmt.Errorf("the database %s was made by a newer version of idp (its tables are at %d, this program knows %d); run the newer version", s.path, current, newest)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (s *Store) prepareStatements(ctx context.Context) error {
	for _, p := range []struct {
		stmt **sql.Stmt
		db   *sql.DB
		sql  string
	}{
		{&s.stmts.answer, s.write, insertSigninSQL},
		{&s.stmts.redeem, s.write, redeemCodeSQL},
		{&s.stmts.replay, s.write, closeReplayedSQL},
		{&s.stmts.find, s.read, findSigninSQL},
		{&s.stmts.rotate, s.write, rotateRefreshSQL},
		{&s.stmts.successor, s.read, findSuccessorSQL},
		{&s.stmts.session, s.read, findSessionSQL},
		{&s.stmts.start, s.write, startSessionSQL},
		{&s.stmts.renew, s.write, renewSessionSQL},
		{&s.stmts.touch, s.write, touchSessionSQL},
		{&s.stmts.join, s.write, joinSessionSQL},
		{&s.stmts.account, s.read, findAccountSQL},
		{&s.stmts.spend, s.write, insertAssertionSQL},
	} {
		stmt, err := p.db.PrepareContext(ctx, s.adaptQuery(p.sql)) //nolint:sqlclosecheck // kept until the database is closed
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}

// adaptQuery writes parameters as the engine knows them: ?1 with SQLite.
func (s *Store) adaptQuery(query string) string {
	if s.sqlite {
		return strings.ReplaceAll(query, "$", "?")
	}
	return query
}

// exec runs a statement outside a transaction and returns how many rows it
// changed.
func (s *Store) exec(ctx context.Context, query string, args ...any) (int64, error) {
	return rowsAffected(s.write.ExecContext(ctx, s.adaptQuery(query), args...))
}

// rowsAffected is how many rows a statement changed.
func rowsAffected(res sql.Result, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// execFunc runs a statement and returns how many rows it changed.
type execFunc func(query string, args ...any) (int64, error)

// txBeginner is a pool or one of its connections.
type txBeginner interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (*sql.Tx, error)
}

// inTransaction runs a function in one transaction.
func (s *Store) inTransaction(ctx context.Context, on txBeginner, do func(exec execFunc, tx *sql.Tx) error) error {
	tx, err := on.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	exec := func(query string, args ...any) (int64, error) {
		return rowsAffected(tx.ExecContext(ctx, s.adaptQuery(query), args...))
	}
	if err := do(exec, tx); err != nil {
		// A cancelled context has rolled back already.
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
		return err
	}
	return tx.Commit()
}

// inDurableTransaction runs a function in one transaction that is on the disk when durable
// returns: for keys and people, which a power cut must not take back. PostgreSQL
// does so anyway.
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
	// Should this fail, later writes are slower and no less safe. It is owed even
	// to a caller who has gone.
	_, _ = conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA synchronous=NORMAL")
	return err
}

// sweepBatch is how many rows one statement of Sweep removes, so that sign-ins
// never wait long for it.
const sweepBatch = 1000

// sweeps are what Sweep runs: $1 is the time and $2 how many rows at most. Sessions
// go before the list of their clients.
var sweeps = []struct{ table, sql string }{
	{"signin", "DELETE FROM signin WHERE id IN (SELECT id FROM signin WHERE expires <= $1 LIMIT $2)"},
	{"session", "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires <= $1 LIMIT $2)"},
	{"session_client", `DELETE FROM session_client WHERE (session_id, client_id) IN (SELECT c.session_id, c.client_id FROM session_client c
		WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.id = c.session_id AND s.expires > $1) LIMIT $2)`},
	{"assertion", `DELETE FROM assertion WHERE (client_id, id) IN (SELECT a.client_id, a.id FROM assertion a
		WHERE a.expires <= $1 LIMIT $2)`},
}

// Sweep removes sign-ins, sessions and client assertions that have expired, and
// returns how many rows. A sign-in stays until its last token has expired, so that
// a code which comes back is still known. A logout that waits is never removed.
func (s *Store) Sweep(ctx context.Context, at time.Time) (int, error) {
	total := 0
	for _, step := range sweeps {
		for {
			n, err := s.exec(ctx, step.sql, toMillis(at), sweepBatch)
			if err != nil {
				return total, fmt.Errorf("sweep %s: %w", step.table, err)
			}
			total += int(n)
			if n < sweepBatch {
				break
			}
		}
	}
	return total, nil
}

// toMillis is a time as it is kept; the zero time is 0.
func toMillis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// fromMillis is the time that millis kept.
func fromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
