package store

import (
	"context"
	"time"
)

const spendSQL = "INSERT INTO assertion (client_id, id, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"

// SpendAssertion implements oidc.Assertions: one insert. One that has expired is
// known until Sweep removes it, which does no harm: nobody may use it any more.
func (s *Store) SpendAssertion(ctx context.Context, clientID, id string, expires time.Time) (bool, error) {
	n, err := changed(s.hot.spend.ExecContext(ctx, clientID, id, millis(expires)))
	return err == nil && n == 1, wrap("spend assertion", err)
}
