package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"idpbridge/claims"
	"idpbridge/oidc"
)

// rotateSQL is the gate of a refresh token: of any number of callers, one gets a
// row. $4 is now; $5 and $6 are when the successor and the access token beside it
// end. The sign-in lives as long as both.
const rotateSQL = `UPDATE signin SET refresh_number = refresh_number + 1, refresh_issued = $4,
	refresh_expires = CASE WHEN $5 < refresh_ends THEN $5 ELSE refresh_ends END,
	expires = CASE
		WHEN expires >= $6 AND expires >= CASE WHEN $5 < refresh_ends THEN $5 ELSE refresh_ends END THEN expires
		WHEN $6 >= CASE WHEN $5 < refresh_ends THEN $5 ELSE refresh_ends END THEN $6
		ELSE CASE WHEN $5 < refresh_ends THEN $5 ELSE refresh_ends END END
	WHERE id = $1 AND client_id = $2 AND refresh_number = $3 AND state = 2 AND refresh_expires > $4 AND refresh_ends > $4
	AND EXISTS (SELECT 1 FROM person WHERE person.subject = signin.subject)
	RETURNING ` + signinColumns + `, (SELECT person FROM person WHERE person.subject = signin.subject)`

// reuseSQL closes a sign-in whose spent refresh token comes back: one before the
// newest, at any time but for the predecessor within its grace. $4 is the time of
// issue after which the grace still runs.
const reuseSQL = `UPDATE signin SET state = 3 WHERE id = $1 AND client_id = $2 AND state = 2 AND refresh_number > $3
	AND NOT (refresh_number = $3 + 1 AND refresh_issued > $4)`

// Rotate implements oidc.Signins: one update; a read and at most one update more
// for whoever comes second. The grace is judged by the row that the read finds
// and by the update that would close it, so a rotation in between is no harm.
func (s *Store) Rotate(ctx context.Context, r oidc.Rotation) (oidc.Signin, claims.Person, error) {
	if r.Number < 1 {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	in, person, err := s.once(ctx, s.hot.rotate, r.ID, r.ClientID, r.Number, millis(r.At), millis(r.At.Add(r.Idle)), millis(r.At.Add(r.Access)))
	if !errors.Is(err, sql.ErrNoRows) {
		return in, person, wrap("rotate refresh token", err)
	}
	in, person, err = s.Find(ctx, r.ID, r.At)
	if err != nil {
		return oidc.Signin{}, claims.Person{}, wrap("rotate refresh token", err)
	}
	grace := r.At.Add(-r.Grace)
	if in.ClientID == r.ClientID && in.State == oidc.Redeemed && in.Refresh.Number == r.Number+1 &&
		in.Refresh.Issued.After(grace) && r.At.Before(in.Refresh.Expires) {
		return in, person, nil
	}
	n, err := s.exec(ctx, reuseSQL, r.ID, r.ClientID, r.Number, millis(grace))
	switch {
	case err != nil:
		return oidc.Signin{}, claims.Person{}, wrap("close reused sign-in", err)
	case n > 0:
		return oidc.Signin{}, claims.Person{}, oidc.ErrReplayed
	}
	return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
}

// once runs a gate and returns its one row, or sql.ErrNoRows. It reads past the
// row: SQLite commits when the statement is done, and only then is it known to
// have happened once.
func (s *Store) once(ctx context.Context, gate *sql.Stmt, args ...any) (in oidc.Signin, person claims.Person, err error) {
	rows, err := gate.QueryContext(ctx, args...)
	if err != nil {
		return in, person, err
	}
	if rows.Next() {
		in, person, err = scanSignin(rows)
		rows.Next()
	} else {
		err = sql.ErrNoRows
	}
	if failed := errors.Join(rows.Err(), rows.Close()); failed != nil { //nolint:sqlclosecheck // the error of Close is the verdict
		err = failed
	}
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return in, person, nil
}

// SpendAssertion implements oidc.Assertions: one insert.
func (s *Store) SpendAssertion(ctx context.Context, clientID, id string, expires time.Time) (bool, error) {
	n, err := s.exec(ctx, "INSERT INTO assertion (client_id, id, expires) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", clientID, id, millis(expires))
	return n == 1, wrap("spend assertion", err)
}
