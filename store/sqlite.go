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

	"idpbridge/internal/filemode"
)

// openSQLite opens the file with one connection that writes, because SQLite allows only
// one writer at a time, and several connections that read.
func (s *Store) openSQLite(ctx context.Context, path string) error {
	if path == "" {
		return errors.New("open database: neither a URL nor a file is given")
	}
	s.path = path
	if err := prepareFile(path); err != nil {
		return err
	}
	clean, err := takeCleanStop(path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if !clean {
		if err := checkIntegrity(ctx, path); err != nil {
			return err
		}
	}
	if s.write, err = openReadWritePool(path, "immediate"); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = openReadWritePool(path, "deferred"); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(max(4, 2*runtime.NumCPU()))
	s.read.SetMaxIdleConns(max(4, 2*runtime.NumCPU()))
	return nil
}

// CheckFile returns an error if the SQLite file is damaged. It changes nothing.
func CheckFile(ctx context.Context, path string) error {
	header, err := readHeader(path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if header != sqliteHeader {
		return damagedError(path, errors.New("it is not a SQLite database"))
	}
	return checkIntegrity(ctx, path)
}

const sqliteHeader = "SQLite format 3\x00"

// prepareFile creates the file with mode 0600 or checks the header of an existing one.
// SQLite would treat an empty file as a new database and delete the log next to it.
func prepareFile(path string) error {
	created, err := createFile(path)
	if err != nil {
		return fmt.Errorf("create database: %w", err)
	}
	if created {
		return rejectOrphanedLog(path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if err := filemode.CheckPrivate(path, info); err != nil {
		return fmt.Errorf("database %s %w", path, err)
	}
	header, err := readHeader(path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if header == "" {
		return rejectOrphanedLog(path)
	}
	if header != sqliteHeader {
		return damagedError(path, errors.New("it is not a SQLite database"))
	}
	return nil
}

// createFile reports whether it has created the file. It returns false if it exists.
func createFile(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, f.Close()
}

// readHeader returns the first 16 bytes of the file, or fewer if it is shorter. It opens
// the file for writing, so that a file without permission is an error here.
func readHeader(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	header, err := io.ReadAll(io.LimitReader(f, 16))
	return string(header), errors.Join(err, f.Close())
}

// rejectOrphanedLog returns an error if there is the log of another database next to an
// empty one.
func rejectOrphanedLog(path string) error {
	log, err := os.Stat(path + "-wal")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	if log.Size() > 0 {
		return damagedError(path, fmt.Errorf("it is empty, but %s-wal is not", path))
	}
	return nil
}

// openReadWritePool sets the options of every connection. With a write-ahead log and
// synchronous=NORMAL, a killed process loses nothing, because the operating system has the
// data. A power failure may lose the last transactions, but does not damage the database.
// Store.inDurableTransaction is for data that must survive it.
func openReadWritePool(path, begin string) (*sql.DB, error) {
	return openPool(path, url.Values{"_txlock": {begin}, "_pragma": {
		busyTimeout,
		"journal_mode(WAL)",
		"synchronous(NORMAL)",
		"foreign_keys(1)",
		"cache_size(-16000)",
		"temp_store(MEMORY)",
	}})
}

// busyTimeout is how long a connection waits for another one, in milliseconds.
const busyTimeout = "busy_timeout(10000)"

func openPool(path string, options url.Values) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+options.Encode())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return db, nil
}

// checkIntegrity reads the whole file before anything is written to it. The connection is
// read-only, because others move the log into the file when they are closed. The check
// finds a damaged structure, but not a changed value in a row.
func checkIntegrity(ctx context.Context, path string) (err error) {
	db, err := openPool(path, url.Values{"mode": {"ro"}, "_pragma": {busyTimeout}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var result string
	if err := db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&result); err != nil {
		if ctx.Err() != nil || !isCorruption(err) {
			return fmt.Errorf("check database %s: %w", path, err)
		}
		return damagedError(path, err)
	}
	if result != "ok" {
		return damagedError(path, errors.New(strings.ReplaceAll(result, "\n", "; ")))
	}
	return nil
}

// isCorruption reports whether an error is about the content of the file.
func isCorruption(err error) bool {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return false
	}
	switch e.Code() & 0xff { // the primary result code
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR:
		return true
	}
	return false
}

func damagedError(path string, cause error) error {
	return fmt.Errorf("database %s is damaged (%w); "+
		"restore it from a backup, or move it away to start with an empty one", path, cause)
}
