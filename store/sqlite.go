package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// openSQLite opens the file with one connection that writes, since SQLite has
// one writer at a time, and several that read.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if path == "" {
		return errors.New("open database: neither an address nor a file is given")
	}
	s.path = path
	if err := prepareFile(path); err != nil {
		return err
	}
	if err := checkIntegrity(ctx, path); err != nil {
		return err
	}
	var err error
	if s.write, err = openSQLitePool(path, "immediate"); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = openSQLitePool(path, "deferred"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	s.read.SetMaxIdleConns(max(4, 2*runtime.NumCPU()))
	return nil
}

// prepareFile makes the file, readable for its owner alone, or makes sure that
// what is there looks like a database: SQLite would take an empty file for a new
// one and throw away the log beside it.
func prepareFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		if err := f.Close(); err != nil {
			return fmt.Errorf("make database: %w", err)
		}
		return rejectOrphanedLog(path)
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make database: %w", err)
	}
	if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	head := make([]byte, 16)
	n, err := io.ReadFull(f, head)
	if err := f.Close(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	switch {
	case errors.Is(err, io.EOF):
		return rejectOrphanedLog(path)
	case err != nil && !errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("open database: %w", err)
	case string(head[:n]) != "SQLite format 3\x00":
		return damagedError(path, errors.New("it is not a SQLite database"))
	}
	return nil
}

// rejectOrphanedLog refuses an empty database beside which the log of another one lies.
func rejectOrphanedLog(path string) error {
	log, err := os.Stat(path + "-wal")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("open database: %w", err)
	case log.Size() > 0:
		return damagedError(path, fmt.Errorf("it is empty, and %s-wal is not", path))
	}
	return nil
}

// openSQLitePool sets what every connection needs. With synchronous=NORMAL and a
// write-ahead log a killed process loses nothing, since the system holds what
// was written; a power cut may lose the last moments, never the database. What
// must not be lost so goes through Store.durable.
func openSQLitePool(path, begin string) (*sql.DB, error) {
	q := url.Values{"_txlock": {begin}}
	for _, pragma := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "foreign_keys(1)", "cache_size(-16000)", "temp_store(MEMORY)"} {
		q.Add("_pragma", pragma)
	}
	return openPool(path, q)
}

func openPool(path string, q url.Values) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

// checkIntegrity reads the whole file before anything is written to it, by a connection
// that cannot write: even closing another kind would move the log into the file.
// It finds a broken structure, not a changed value within a row.
func checkIntegrity(ctx context.Context, path string) (err error) {
	db, err := openPool(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		if ctx.Err() != nil || !isCorruption(err) {
			return fmt.Errorf("check database %s: %w", path, err)
		}
		return damagedError(path, err)
	}
	if verdict != "ok" {
		return damagedError(path, errors.New(strings.ReplaceAll(verdict, "\n", "; ")))
	}
	return nil
}

// isCorruption says whether an error is about the file's contents.
func isCorruption(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff { // the rest says more about the same
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR:
		return true
	}
	return false
}

func damagedError(path string, cause error) error {
	return fmt.Errorf("database %s is damaged (%w); restore it from a backup, or move it away to start with an empty one", path, cause)
}
