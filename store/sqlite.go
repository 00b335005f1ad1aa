package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the engine
)

// openSQLite opens the file with one connection that writes, since SQLite has
// one writer at a time, and several that read.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if err := checkFile(path); err != nil {
		return err
	}
	var err error
	if s.write, err = sqliteDB(path, "immediate"); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sqliteDB(path, "deferred"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	s.read.SetMaxIdleConns(max(4, 2*runtime.NumCPU()))
	return intact(ctx, s.write, path)
}

// checkFile makes the file, readable for its owner alone, or makes sure that
// what is there looks like a database: SQLite would take an empty or foreign
// file for a new one.
func checkFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		return f.Close()
	}
	if !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make database: %w", err)
	}
	head := make([]byte, 16)
	if f, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	n, _ := f.Read(head)
	if err := f.Close(); err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if n > 0 && string(head[:n]) != "SQLite format 3\x00" {
		return damaged(path, errors.New("it is not a SQLite database"))
	}
	return nil
}

// sqliteDB sets what every connection needs. With synchronous=NORMAL and a
// write-ahead log a killed process loses nothing; a power cut may lose the last
// moments, never the database (docs/adr/0009).
func sqliteDB(path, begin string) (*sql.DB, error) {
	q := url.Values{"_txlock": {begin}}
	for _, pragma := range []string{"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(NORMAL)", "cache_size(-16000)", "temp_store(MEMORY)"} {
		q.Add("_pragma", pragma)
	}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

// intact reads the whole file before anything is written to it.
func intact(ctx context.Context, db *sql.DB, path string) error {
	rows, err := db.QueryContext(ctx, "PRAGMA quick_check(1)")
	if err != nil {
		return damaged(path, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var verdict string
		if err := rows.Scan(&verdict); err != nil {
			return damaged(path, err)
		}
		if verdict != "ok" {
			return damaged(path, errors.New(strings.ReplaceAll(verdict, "\n", "; ")))
		}
	}
	if err := rows.Err(); err != nil {
		return damaged(path, err)
	}
	return nil
}

func damaged(path string, cause error) error {
	return fmt.Errorf("database %s is damaged (%w); restore it from a backup, or move it away to start with an empty one", path, cause)
}

// flush forces what was just written to the disk: for rows that must survive a
// power cut too.
func (s *Store) flush(ctx context.Context) error {
	if !s.sqlite {
		return nil
	}
	_, err := s.write.ExecContext(ctx, "PRAGMA wal_checkpoint(FULL)")
	return err
}
