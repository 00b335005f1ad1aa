package store

import (
	"context"
	"time"
)

const insertAssertionSQL = "INSERT INTO assertion (client_id, id, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

// SpendAssertion implements oidc.Assertions: one insert. One that has expired is
// known until Sweep removes it, which does no harm: nobody may use it any more.
func (s *Store) SpendAssertion(ctx context.Context, clientID, id string, expires time.Time) (bool, error) {
	n, err := rowsAffected(s.stmts.spend.ExecContext(ctx, clientID, id, toMillis(expires)))
	return err == nil && n == 1, wrapError("spend assertion", err)
}
