package store

import (
	"context"
	"database/sql"
	"errors"
)

// ClaimOwnership records whose database this is, unless somebody has claimed it, and returns
// whose it is.
func (s *Store) ClaimOwnership(ctx context.Context, name string) (owner string, err error) {
	err = s.inDurableTransaction(ctx, func(exec execFunc, _ *sql.Tx) error {
		_, err := exec("INSERT INTO owner (one, name) VALUES (1, $1) ON CONFLICT DO NOTHING", name)
		return err
	})
	if err != nil {
		return "", wrapError("claim database", err)
	}
	return s.Owner(ctx)
}

// Owner returns whose database this is; empty where nobody has claimed it.
func (s *Store) Owner(ctx context.Context) (string, error) {
	var name string
	err := s.read.QueryRowContext(ctx, "SELECT name FROM owner").Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return name, wrapError("read owner", err)
}
