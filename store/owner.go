package store

import (
	"context"
	"database/sql"
	"errors"
)

// ClaimOwnership records the owner of the database, unless it has one, and returns the
// owner.
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

// Owner returns the owner of the database, or the empty string if it has none.
func (s *Store) Owner(ctx context.Context) (string, error) {
	var name string
	err := s.read.QueryRowContext(ctx, "SELECT name FROM owner").Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return name, wrapError("read owner", err)
}
