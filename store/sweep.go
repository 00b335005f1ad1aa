package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

const (
	// sweepBatch limits the rows of a table that one transaction of Sweep deletes, and
	// sweepPause is the time between two of them, so that sign-ins hardly wait for it.
	sweepBatch = 50
	sweepPause = 20 * time.Millisecond
	// sweepLock is the number of PostgreSQL's advisory lock for Sweep.
	sweepLock = 4_097_083_627
)

// sweeps delete rows that have expired: $1 is the time and $2 is the limit. An index finds
// the rows that are due, so a batch costs the same however large the tables are. The
// clients of a session are deleted with it; both statements choose the same sessions.
var sweeps = []struct{ table, sql string }{
	{"signin", "DELETE FROM signin WHERE id IN (SELECT id FROM signin WHERE expires <= $1 LIMIT $2)"},
	{"session_client", "DELETE FROM session_client WHERE session_id IN (" + dueSessionsSQL + ")"},
	{"upstream_session", "DELETE FROM upstream_session WHERE session_id IN (" + dueSessionsSQL + ")"},
	{"session", "DELETE FROM session WHERE id IN (" + dueSessionsSQL + ")"},
	{"assertion", `DELETE FROM assertion WHERE (client_id, id) IN
		(SELECT a.client_id, a.id FROM assertion a WHERE a.expires <= $1 LIMIT $2)`},
}

const dueSessionsSQL = "SELECT id FROM session WHERE expires <= $1 ORDER BY expires, id LIMIT $2"

// Sweep deletes expired sign-ins, sessions with their clients, and client assertions, and
// returns the number of rows. A sign-in is kept until its last token has expired, so that a
// replayed code is still recognized. Pending logouts are never deleted. It works in small
// batches with pauses. If another process sweeps the same PostgreSQL database, it leaves
// the work to that.
func (s *Store) Sweep(ctx context.Context, at time.Time) (int, error) {
	total := 0
	for {
		n, full, err := s.sweepBatch(ctx, at)
		total += n
		if err != nil || !full {
			return total, err
		}
		select {
		case <-ctx.Done():
			return total, ctx.Err()
		case <-time.After(sweepPause):
		}
	}
}

// sweepBatch deletes at most sweepBatch rows per table. It reports whether more may be due.
func (s *Store) sweepBatch(ctx context.Context, at time.Time) (deleted int, full bool, err error) {
	err = s.inTransaction(ctx, s.write, func(exec execFunc, tx *sql.Tx) error {
		if mine, err := s.lockSweep(ctx, tx); err != nil || !mine {
			return err
		}
		for _, sweep := range sweeps {
			n, err := exec(sweep.sql, toMillis(at), sweepBatch)
			if err != nil {
				return fmt.Errorf("sweep %s: %w", sweep.table, err)
			}
			deleted += int(n)
			full = full || n >= sweepBatch
		}
		return nil
	})
	return deleted, full, err
}

// lockSweep reports whether this process may sweep until the transaction ends. SQLite has
// only one writer anyway.
func (s *Store) lockSweep(ctx context.Context, tx *sql.Tx) (mine bool, err error) {
	if s.sqlite {
		return true, nil
	}
	err = tx.QueryRowContext(ctx, "SELECT pg_try_advisory_xact_lock($1)", int64(sweepLock)).Scan(&mine)
	return mine, wrapError("sweep", err)
}
