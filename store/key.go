package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"idpbridge/keys"
)

// Keys implements keys.Store.
func (s *Store) Keys(ctx context.Context) ([]keys.Record, error) {
	all, err := queryAll(ctx, s.read, scanKey,
		"SELECT id, algorithm, state, sealed, created, changed FROM signing_key ORDER BY created, id")
	return all, wrapError("list keys", err)
}

func scanKey(row scanner) (keys.Record, error) {
	var r keys.Record
	var created, changed int64
	err := row.Scan(&r.ID, &r.Algorithm, &r.State, &r.Sealed, &created, &changed)
	r.Created, r.Changed = fromMillis(created), fromMillis(changed)
	return r, err
}

// AddKey implements keys.Store. Unique indexes decide which of two processes is first. It
// also returns false if the id exists.
func (s *Store) AddKey(ctx context.Context, r keys.Record) (bool, error) {
	if r.State != keys.Next && r.State != keys.Active {
		return false, fmt.Errorf("add key: state %q is neither next nor active", r.State)
	}
	var n int64
	err := s.inDurableTransaction(ctx, func(exec execFunc, _ *sql.Tx) (err error) {
		n, err = exec(`INSERT INTO signing_key (id, algorithm, state, sealed, created, changed)
			VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
			r.ID, r.Algorithm, string(r.State), r.Sealed, toMillis(r.Created), toMillis(r.Changed))
		return err
	})
	return err == nil && n == 1, wrapError("add key", err)
}

// errWrongState rolls back a rotation.
var errWrongState = errors.New("the key has another state")

// RotateKeys implements keys.Store. It also returns false if the algorithms of the keys
// differ.
func (s *Store) RotateKeys(ctx context.Context, next, active string, at time.Time) (bool, error) {
	err := s.inDurableTransaction(ctx, func(exec execFunc, _ *sql.Tx) error {
		for _, step := range []struct {
			id, other string
			from, to  keys.State
		}{{active, next, keys.Active, keys.Retiring}, {next, active, keys.Next, keys.Active}} {
			n, err := exec(`UPDATE signing_key SET state = $1, changed = $2 WHERE id = $3 AND state = $4
				AND algorithm = (SELECT k.algorithm FROM signing_key k WHERE k.id = $5)`,
				string(step.to), toMillis(at), step.id, string(step.from), step.other)
			if err != nil {
				return err
			}
			if n == 0 {
				return errWrongState
			}
		}
		return nil
	})
	if errors.Is(err, errWrongState) {
		return false, nil
	}
	return err == nil, wrapError("rotate keys", err)
}

// RemoveKey implements keys.Store.
func (s *Store) RemoveKey(ctx context.Context, id string, unchangedSince time.Time) (bool, error) {
	var n int64
	err := s.inDurableTransaction(ctx, func(exec execFunc, tx *sql.Tx) (err error) {
		n, err = exec(`DELETE FROM signing_key WHERE id = $1 AND state = $2 AND changed <= $3
			AND id NOT IN (SELECT id FROM key_pin)`, id, string(keys.Retiring), toMillis(unchangedSince))
		if err != nil || n == 1 {
			return err
		}
		var pinned bool
		err = tx.QueryRowContext(ctx, s.adaptQuery("SELECT EXISTS (SELECT 1 FROM key_pin WHERE id = $1)"), id).Scan(&pinned)
		if err == nil && pinned {
			return keys.ErrPinned
		}
		return err
	})
	if errors.Is(err, keys.ErrPinned) {
		return false, keys.ErrPinned
	}
	return err == nil && n == 1, wrapError("remove key", err)
}

// WithdrawKey implements keys.Store.
func (s *Store) WithdrawKey(ctx context.Context, id string) (bool, error) {
	var n int64
	err := s.inDurableTransaction(ctx, func(exec execFunc, _ *sql.Tx) (err error) {
		n, err = exec("DELETE FROM signing_key WHERE id = $1 AND state IN ($2, $3)",
			id, string(keys.Next), string(keys.Retiring))
		if err != nil || n == 0 {
			return err
		}
		_, err = exec("DELETE FROM key_pin WHERE id = $1", id)
		return err
	})
	return err == nil && n == 1, wrapError("withdraw key", err)
}

// KeyStates implements keys.Store.
func (s *Store) KeyStates(ctx context.Context) (map[string]keys.State, error) {
	type keyState struct {
		id    string
		state keys.State
	}
	all, err := queryAll(ctx, s.read, func(row scanner) (k keyState, err error) {
		return k, row.Scan(&k.id, &k.state)
	}, "SELECT id, state FROM signing_key")
	if err != nil {
		return nil, wrapError("list states of keys", err)
	}
	states := make(map[string]keys.State, len(all))
	for _, k := range all {
		states[k.id] = k.state
	}
	return states, nil
}

// PinKeys implements keys.Store.
func (s *Store) PinKeys(ctx context.Context, ids []string, at time.Time) error {
	return wrapError("pin keys", s.inDurableTransaction(ctx, func(exec execFunc, tx *sql.Tx) error {
		before, err := queryAll(ctx, tx, func(row scanner) (id string, err error) {
			return id, row.Scan(&id)
		}, "SELECT id FROM key_pin")
		if err != nil {
			return err
		}
		for _, id := range before {
			if slices.Contains(ids, id) {
				continue
			}
			if _, err := exec("UPDATE signing_key SET changed = $1 WHERE id = $2 AND state = $3",
				toMillis(at), id, string(keys.Retiring)); err != nil {
				return err
			}
		}
		if _, err := exec("DELETE FROM key_pin"); err != nil {
			return err
		}
		for _, id := range ids {
			if _, err := exec("INSERT INTO key_pin (id) VALUES ($1) ON CONFLICT DO NOTHING", id); err != nil {
				return err
			}
		}
		return nil
	}))
}
