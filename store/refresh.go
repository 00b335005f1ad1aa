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

// rotateRefreshSQL redeems the newest refresh token, $3, or closes the sign-in if the
// token was redeemed before. It ignores the predecessor of a token issued after $7, which
// is within its grace period. One statement does all that: with a separate check, another
// rotation could come in between, and a retry in time would look like a replay.
//
// $4 is the time, $5 is when the successor expires unless it is used, and $6 is when an
// access token expires. The sign-in then expires with the last of its tokens. The CASEs
// are the greatest and least that both engines support.
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

// findSuccessorSQL finds the successor of a token within its grace period. The parameters
// are those of rotateRefreshSQL, but $5 is its $7.
const findSuccessorSQL = `SELECT ` + joinedSigninColumns + `, p.person
	FROM signin s JOIN person p ON p.subject = s.subject
	WHERE s.id = $1 AND s.client_id = $2 AND s.state = 2 AND s.refresh_number - 1 = $3 AND s.refresh_issued > $5
	AND s.refresh_expires > $4 AND s.refresh_ends > $4 AND s.expires > $4`

// RotateRefreshToken implements oidc.Signins with one update. If the token was redeemed before, within
// its grace period, one read follows. It may find that the successor was redeemed
// meanwhile. Then the caller gets nothing, but the sign-in stays open: the update has found
// no replay.
func (s *Store) RotateRefreshToken(ctx context.Context, r oidc.Rotation) (oidc.Signin, claims.Person, error) {
	if r.Number < 1 {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	graceStart := int64(math.MaxInt64) // no token is issued after it
	if r.Grace > 0 {
		graceStart = toMillis(r.At.Add(-r.Grace))
	}
	signin, person, err := s.runRotation(ctx, r, graceStart)
	if errors.Is(err, sql.ErrNoRows) {
		signin, person, err = scanSignin(
			s.stmts.findSuccessor.QueryRowContext(ctx, r.ID, r.ClientID, r.Number, toMillis(r.At), graceStart))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	if errors.Is(err, oidc.ErrReplayed) {
		return signin, claims.Person{}, oidc.ErrReplayed
	}
	return signin, person, wrapError("rotate refresh token", err)
}

// runRotation runs rotateRefreshSQL. It returns sql.ErrNoRows if nothing has changed, and
// oidc.ErrReplayed if it has closed the sign-in.
func (s *Store) runRotation(
	ctx context.Context, r oidc.Rotation, graceStart int64,
) (signin oidc.Signin, person claims.Person, err error) {
	var personJSON []byte // nil if the sign-in is closed and the person was deleted
	err = queryOnce(ctx, s.stmts.rotateRefresh, func(row scanner) (err error) {
		signin, err = scanColumns(row, &personJSON)
		return err
	}, r.ID, r.ClientID, r.Number, toMillis(r.At), toMillis(r.At.Add(r.Idle)), toMillis(r.At.Add(r.Access)), graceStart)
	if err == nil && signin.State == oidc.Closed {
		return signin, claims.Person{}, oidc.ErrReplayed
	}
	if err == nil {
		err = json.Unmarshal(personJSON, &person)
	}
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return signin, person, nil
}
