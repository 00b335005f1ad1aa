package store

import (
	"context"
	"time"
)

const insertAssertionSQL = "INSERT INTO assertion (client_id, id, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

// RecordAssertion implements oidc.Assertions with one insert. An expired assertion is kept
// until Sweep deletes it. That does no harm, because it is no longer valid.
func (s *Store) RecordAssertion(ctx context.Context, clientID, id string, expires time.Time) (bool, error) {
	n, err := rowsAffected(s.stmts.insertAssertion.ExecContext(ctx, clientID, id, toMillis(expires)))
	return err == nil && n == 1, wrapError("record assertion", err)
}
