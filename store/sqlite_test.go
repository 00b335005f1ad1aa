package store_test

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"idpbridge/oidc"
	"idpbridge/store"
)

// filledDatabase returns the path of a closed database with many pages.
func filledDatabase(t *testing.T) string {
	t.Helper()
	path := databasePath(t)
	s, err := store.Open(t.Context(), store.Config{Path: path})
	require.NoError(t, err)
	at := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range 500 {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		signin := oidc.Signin{ID: fmt.Sprintf("%x", sum), State: oidc.Issued, Created: at, Expires: at}
		require.NoError(t, s.RecordSignin(t.Context(), signin))
	}
	require.NoError(t, s.Close())
	return path
}

func TestSQLiteDamaged(t *testing.T) {
	t.Parallel()
	for name, harm := range map[string]func(b []byte) []byte{
		"truncated":                func(b []byte) []byte { return b[:len(b)/2] },
		"truncated within a page":  func(b []byte) []byte { return b[:len(b)-1000] },
		"truncated to a few bytes": func(b []byte) []byte { return b[:10] },
		"garbage header":           func(b []byte) []byte { copy(b, "garbage, garbage"); return b },
		"another format":           func([]byte) []byte { return []byte("people:\n- username: ann\n") },
		"damaged page":             func(b []byte) []byte { return flipBits(b, len(b)/2/4096*4096, 4096) },
		"damaged page header":      func(b []byte) []byte { return flipBits(b, len(b)/2/4096*4096, 8) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filledDatabase(t)
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			content = harm(content)
			require.NoError(t, os.WriteFile(path, content, 0o600))

			_, err = store.Open(t.Context(), store.Config{Path: path})
			require.ErrorContains(t, err, "database "+path+" is damaged (")
			require.ErrorContains(t, err, "restore it from a backup, or move it away")
			require.NotContains(t, err.Error(), "\n")
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, after), "the file was written to")
		})
	}
}

// flipBits inverts n bytes from offset at.
func flipBits(b []byte, at, n int) []byte {
	for i := range n {
		b[at+i] ^= 0xff
	}
	return b
}

func TestSQLiteOrphanedLog(t *testing.T) {
	t.Parallel()
	path := databasePath(t)
	require.NoError(t, os.WriteFile(path+"-wal", []byte("the last moments"), 0o600))
	for range 2 { // the first creates the file, the second finds it empty
		_, err := store.Open(t.Context(), store.Config{Path: path})
		require.ErrorContains(t, err, "is damaged")
		log, err := os.ReadFile(path + "-wal")
		require.NoError(t, err)
		require.Equal(t, "the last moments", string(log))
	}
}

// TestSQLiteCleanStop shows that a database is read in full only if it was not closed, or
// has changed since.
func TestSQLiteCleanStop(t *testing.T) {
	t.Parallel()
	path := filledDatabase(t)
	info, err := os.Stat(path)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	mark, err := os.ReadFile(path + "-clean")
	require.NoError(t, err)
	damaged := flipBits(content, len(content)-4096, 4096) // the last page has rows, not tables
	open := func(modified time.Time) error {
		require.NoError(t, os.WriteFile(path, damaged, 0o600))
		require.NoError(t, os.Chtimes(path, modified, modified))
		s, err := store.Open(t.Context(), store.Config{Path: path})
		if err == nil {
			require.NoError(t, s.Close())
		}
		return err
	}
	require.NoError(t, open(info.ModTime()), "it looks untouched, so nothing reads the damaged page")

	require.NoError(t, os.WriteFile(path+"-clean", mark, 0o600))
	require.ErrorContains(t, open(info.ModTime().Add(time.Second)), "is damaged", "the file has changed")

	require.NoError(t, os.RemoveAll(path+"-clean"))
	require.ErrorContains(t, open(info.ModTime()), "is damaged", "the process was killed")
}

func TestSQLiteRejectsNewerVersion(t *testing.T) {
	t.Parallel()
	path := filledDatabase(t)
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)")
	require.NoError(t, err)
	require.NoError(t, db.Close())
	_, err = store.Open(t.Context(), store.Config{Path: path})
	require.ErrorContains(t, err, path+" was created by a newer version of idp")
}

func TestSQLiteFile(t *testing.T) {
	t.Parallel()
	path := databasePath(t) + " 100%?#x"
	s := openStore(t, store.Config{Path: path})
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), name)
	}
	require.NoError(t, s.Ping(t.Context()))
	// A killed process leaves its log. The next process reads it.
	require.NoError(t, s.RecordSignin(t.Context(), oidc.Signin{ID: "i", State: oidc.Issued}))
	databaseCopy := databasePath(t)
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(databaseCopy+suffix, b, 0o600))
	}
	got, err := openStore(t, store.Config{Path: databaseCopy}).RecentSignins(t.Context(), 5)
	require.NoError(t, err)
	require.Len(t, got, 1)
}

func TestInvalidConfig(t *testing.T) {
	t.Parallel()
	for _, cfg := range []store.Config{
		{},
		{URL: "mysql://u:hunter2@h/d"},
		{URL: "postgres://u:hunter2@h:notaport/d"},
		{URL: "postgres://u:hunter2@127.0.0.1:1/d"},
		{Path: databasePath(t) + "/none/idp.db"},
	} {
		_, err := store.Open(t.Context(), cfg)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, err.Error(), "\n")
	}
}
