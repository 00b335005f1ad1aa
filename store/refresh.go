package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"

	"idpbridge/claims"
	"idpbridge/oidc"
)

// rotateRefreshSQL spends the newest refresh token, $3, or closes the sign-in of one that
// was spent before. It is one statement, so that what it finds is what it acts on:
// were the judgement a second one, another rotation could come in between, and a
// retry that was in time would look like a replay. It passes over the predecessor
// of a token issued after $7, which is in grace.
//
// $4 is now, $5 when the successor ends unless used, and $6 when an access token
// ends. The sign-in then expires with the last of its tokens; a CASE is the
// greatest and the least that both engines know.
const rotateRefreshSQL = `UPDATE signin SET
	state = CASE WHEN refresh_number = $3 THEN 2 ELSE 3 END,
	refresh_number = CASE WHEN refresh_number = $3 THEN refresh_number + 1 ELSE refresh_number END,
	refresh_issued = CASE WHEN refresh_number = $3 THEN $4 ELSE refresh_issued END,
	refresh_expires = CASE WHEN refresh_number <> $3 THEN refresh_expires
		WHEN refresh_ends > $5 THEN $5 ELSE refresh_ends END,
	expires = CASE WHEN refresh_number <> $3 THEN expires
		WHEN expires >= $6 AND (expires >= $5 OR expires >= refresh_ends) THEN expires
		WHEN $6 >= $5 OR $6 >= refresh_ends THEN $6
		WHEN $5 < refresh_ends THEN $5 ELSE refresh_ends END
	WHERE id = $1 AND client_id = $2 AND state = 2
	AND (refresh_number = $3 AND refresh_expires > $4 AND refresh_ends > $4 AND expires > $4
			AND EXISTS (SELECT 1 FROM person WHERE person.subject = signin.subject)
		OR refresh_number > $3 AND NOT (refresh_number - 1 = $3 AND refresh_issued > $7))
	RETURNING ` + signinColumns + `, (SELECT person FROM person WHERE person.subject = signin.subject)`

// findSuccessorSQL finds what a predecessor in grace gets; the parameters are those
// of rotateSQL.
const findSuccessorSQL = `SELECT ` + joinedSigninColumns + `, p.person FROM signin s JOIN person p ON p.subject = s.subject
	WHERE s.id = $1 AND s.client_id = $2 AND s.state = 2 AND s.refresh_number - 1 = $3 AND s.refresh_issued > $5
	AND s.refresh_expires > $4 AND s.refresh_ends > $4 AND s.expires > $4`

// Rotate implements oidc.Signins: one update, and one read for who finds the token
// spent and in grace. That read may find it spent once more by then. Nobody gets
// anything in that case, and nothing is closed: when the update looked, all was
// well.
func (s *Store) Rotate(ctx context.Context, r oidc.Rotation) (oidc.Signin, claims.Person, error) {
	if r.Number < 1 {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	grace := int64(math.MaxInt64) // nothing is issued after that
	if r.Grace > 0 {
		grace = toMillis(r.At.Add(-r.Grace))
	}
	in, person, err := s.runRotation(ctx, r, grace)
	if errors.Is(err, sql.ErrNoRows) {
		in, person, err = scanSignin(s.stmts.successor.QueryRowContext(ctx, r.ID, r.ClientID, r.Number, toMillis(r.At), grace))
	}
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	case errors.Is(err, oidc.ErrReplayed):
		return in, claims.Person{}, oidc.ErrReplayed
	}
	return in, person, wrapError("rotate refresh token", err)
}

// runRotation runs rotateSQL. It returns sql.ErrNoRows where nothing was changed, and
// oidc.ErrReplayed where the sign-in was closed.
func (s *Store) runRotation(ctx context.Context, r oidc.Rotation, grace int64) (in oidc.Signin, person claims.Person, err error) {
	var who []byte // none where the person of a closed sign-in is gone
	err = queryOnce(ctx, s.stmts.rotate, func(row scanner) (err error) {
		in, err = scanColumns(row, &who)
		return err
	}, r.ID, r.ClientID, r.Number, toMillis(r.At), toMillis(r.At.Add(r.Idle)), toMillis(r.At.Add(r.Access)), grace)
	if err == nil && in.State == oidc.Closed {
		return in, claims.Person{}, oidc.ErrReplayed
	}
	if err == nil {
		err = json.Unmarshal(who, &person)
	}
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return in, person, nil
}
