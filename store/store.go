// Package store stores people, sessions, sign-ins, logouts, client assertions and signing
// keys in SQLite or PostgreSQL. Both use the same SQL statements.
//
// Read store.go first. There is one file per table. Package storetest is the contract
// that both engines pass.
package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"idpbridge/keys"
	"idpbridge/oidc"
	"idpbridge/session"
	"idpbridge/upstream"
)

var (
	_ oidc.Signins       = (*Store)(nil)
	_ oidc.Logouts       = (*Store)(nil)
	_ oidc.Assertions    = (*Store)(nil)
	_ session.Store      = (*Store)(nil)
	_ upstream.People    = (*Store)(nil)
	_ upstream.Customers = (*Store)(nil)
	_ keys.Store         = (*Store)(nil)
)

// Config names the database.
type Config struct {
	// URL is a PostgreSQL URL (postgres:// or postgresql://) or the path of a SQLite
	// file. If it is empty, Path is used.
	URL string
	// Path is the path of a SQLite file. Its folder must exist.
	Path string
}

// isPostgres reports whether URL names a PostgreSQL database.
func (c Config) isPostgres() bool {
	return strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://")
}

// Store implements the storage interfaces of packages oidc, session, upstream and keys. It is
// safe for concurrent use. With PostgreSQL, any number of processes can share one
// database.
type Store struct {
	read, write *sql.DB // the same pool with PostgreSQL
	sqlite      bool
	// pooled is set once PostgreSQL turns out to be behind a pooler that gives each
	// transaction another connection, so that statements prepared by name fail.
	pooled atomic.Bool
	path   string // SQLite file or PostgreSQL database, for error messages
	stmts  preparedStatements
}

// preparedStatements are the statements of every sign-in.
type preparedStatements struct {
	insertSignin, redeemCode, closeReplayed, findSignin, rotateRefresh, findSuccessor statement
	findSession, startSession, renewSession, touchSession, joinSession                statement
	findAccount, insertAssertion, recordPerson                                        statement
}

// Open opens the database and migrates its tables. A damaged database or one of a newer
// version is an error of one line, and is not changed.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	s := &Store{sqlite: !cfg.isPostgres()}
	if err := s.connect(ctx, cfg); err != nil {
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

// connect opens the pools of connections.
func (s *Store) connect(ctx context.Context, cfg Config) error {
	if cfg.isPostgres() {
		return s.openPostgres(ctx, cfg.URL)
	}
	if strings.Contains(cfg.URL, "://") {
		// The URL may contain a password, so the error does not quote it.
		return errors.New("open database: the URL must start with postgres:// or postgresql://, " +
			"or be the path of a SQLite file")
	}
	return s.openSQLite(ctx, cmp.Or(cfg.URL, cfg.Path))
}

// Close closes the database after running statements have ended.
func (s *Store) Close() error {
	var err error
	if s.write != nil && s.write != s.read {
		err = s.write.Close()
	}
	if s.read != nil {
		err = errors.Join(err, s.read.Close())
	}
	if s.sqlite && s.read != nil && err == nil {
		writeCleanStop(s.path)
	}
	return err
}

// Ping returns an error if the database does not respond.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return wrapError("ping database", s.read.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// ProbeWrite returns an error if the database cannot be written to, such as on a full disk
// or a PostgreSQL standby.
func (s *Store) ProbeWrite(ctx context.Context, at time.Time) error {
	_, err := s.exec(ctx, `INSERT INTO probe (one, at) VALUES (1, $1)
		ON CONFLICT (one) DO UPDATE SET at = excluded.at`, toMillis(at))
	return wrapError("write to database", err)
}

// prepareStatements prepares the statements of every sign-in.
func (s *Store) prepareStatements(ctx context.Context) error {
	for _, p := range []struct {
		stmt *statement
		db   *sql.DB
		sql  string
	}{
		{&s.stmts.insertSignin, s.write, insertSigninSQL},
		{&s.stmts.redeemCode, s.write, redeemCodeSQL},
		{&s.stmts.closeReplayed, s.write, closeReplayedSQL},
		{&s.stmts.findSignin, s.read, findSigninSQL},
		{&s.stmts.rotateRefresh, s.write, rotateRefreshSQL},
		{&s.stmts.findSuccessor, s.read, findSuccessorSQL},
		{&s.stmts.findSession, s.read, findSessionSQL},
		{&s.stmts.startSession, s.write, startSessionSQL},
		{&s.stmts.renewSession, s.write, renewSessionSQL},
		{&s.stmts.touchSession, s.write, touchSessionSQL},
		{&s.stmts.joinSession, s.write, joinSessionSQL},
		{&s.stmts.findAccount, s.read, findAccountSQL},
		{&s.stmts.insertAssertion, s.write, insertAssertionSQL},
		{&s.stmts.recordPerson, s.write, recordPersonSQL},
	} {
		stmt, err := s.newStatement(ctx, p.db, p.sql)
		if err != nil {
			return err
		}
		*p.stmt = stmt
	}
	return nil
}
