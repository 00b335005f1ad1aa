package store

import (
	"context"
	"fmt"
	"time"
)

// sweepBatch limits the rows that one statement of Sweep deletes, so that sign-ins never
// wait long for it.
const sweepBatch = 1000

// sweeps are the statements of Sweep: $1 is the time and $2 is the limit. Sessions are
// deleted before their clients.
var sweeps = []struct{ table, sql string }{
	{"signin", "DELETE FROM signin WHERE id IN (SELECT id FROM signin WHERE expires <= $1 LIMIT $2)"},
	{"session", "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires <= $1 LIMIT $2)"},
	{"session_client", `DELETE FROM session_client WHERE (session_id, client_id) IN
		(SELECT c.session_id, c.client_id FROM session_client c
		WHERE NOT EXISTS (SELECT 1 FROM session s WHERE s.id = c.session_id AND s.expires > $1) LIMIT $2)`},
	{"assertion", `DELETE FROM assertion WHERE (client_id, id) IN
		(SELECT a.client_id, a.id FROM assertion a WHERE a.expires <= $1 LIMIT $2)`},
}

// Sweep deletes expired sign-ins, sessions and client assertions, and returns the number
// of rows. A sign-in is kept until its last token has expired, so that a replayed code is
// still recognized. Pending logouts are never deleted.
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
