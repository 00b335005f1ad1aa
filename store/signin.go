package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"idpbridge/claims"
	"idpbridge/oidc"
)

const signinColumns = "id, reference, client_id, session_id, subject, state, created, code_expires, expires, granted"

const answerSQL = "INSERT INTO signin (" + signinColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"

// Answer implements oidc.Signins: one insert.
func (s *Store) Answer(ctx context.Context, in oidc.Signin) error {
	granted, err := json.Marshal(in.Grant)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if _, err := s.hot.answer.ExecContext(ctx, in.ID, in.Reference, in.ClientID, in.SessionID, in.Subject, int(in.State),
		millis(in.Created), millis(in.CodeExpires), millis(in.Expires), string(granted)); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// redeemSQL is the gate: of any number of callers, one gets a row.
const redeemSQL = `UPDATE signin SET state = 2
	WHERE id = $1 AND state = 1 AND code_expires > $2
	AND (session_id = '' OR EXISTS (SELECT 1 FROM session WHERE session.id = signin.session_id))
	AND EXISTS (SELECT 1 FROM person WHERE person.subject = signin.subject)
	RETURNING ` + signinColumns + `, (SELECT person FROM person WHERE person.subject = signin.subject)`

// Redeem implements oidc.Signins: one update, and a second only for a loser.
func (s *Store) Redeem(ctx context.Context, id string, at time.Time) (oidc.Signin, claims.Person, error) {
	in, person, err := scanSignin(s.hot.redeem.QueryRowContext(ctx, id, millis(at)))
	if !errors.Is(err, sql.ErrNoRows) {
		return in, person, wrap("redeem", err)
	}
	n, err := s.exec(ctx, "UPDATE signin SET state = 3 WHERE id = $1 AND state = 2", id)
	if err != nil {
		return oidc.Signin{}, claims.Person{}, wrap("close replayed sign-in", err)
	}
	if n > 0 {
		return oidc.Signin{}, claims.Person{}, oidc.ErrReplayed
	}
	return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
}

const findSQL = `SELECT s.id, s.reference, s.client_id, s.session_id, s.subject, s.state, s.created, s.code_expires, s.expires, s.granted, p.person
	FROM signin s JOIN person p ON p.subject = s.subject WHERE s.id = $1 AND s.state <> 3 AND s.expires > $2`

// Find implements oidc.Signins.
func (s *Store) Find(ctx context.Context, id string, at time.Time) (oidc.Signin, claims.Person, error) {
	in, person, err := scanSignin(s.hot.find.QueryRowContext(ctx, id, millis(at)))
	if errors.Is(err, sql.ErrNoRows) {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	return in, person, wrap("find sign-in", err)
}

// CloseSignin implements oidc.Signins.
func (s *Store) CloseSignin(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "UPDATE signin SET state = 3 WHERE id = $1 AND state <> 3", id)
	return wrap("close sign-in", err)
}

// Recent is a sign-in and the name of the person, for the development page.
type Recent struct {
	oidc.Signin

	Username string
}

// RecentSignins returns the latest sign-ins, newest first. Bare ID tokens leave
// no row.
func (s *Store) RecentSignins(ctx context.Context, limit int) ([]Recent, error) {
	rows, err := s.read.QueryContext(ctx, s.dialect(`SELECT s.reference, s.client_id, s.state, s.created, p.username
		FROM signin s JOIN person p ON p.subject = s.subject ORDER BY s.created DESC LIMIT $1`), limit)
	if err != nil {
		return nil, wrap("recent sign-ins", err)
	}
	defer func() { _ = rows.Close() }()
	var out []Recent
	for rows.Next() {
		var r Recent
		var created int64
		if err := rows.Scan(&r.Reference, &r.ClientID, &r.State, &created, &r.Username); err != nil {
			return nil, wrap("recent sign-ins", err)
		}
		r.Created = moment(created)
		out = append(out, r)
	}
	return out, wrap("recent sign-ins", rows.Err())
}

// scanner is a row of either kind.
type scanner interface{ Scan(dest ...any) error }

func scanSignin(row scanner) (oidc.Signin, claims.Person, error) {
	var in oidc.Signin
	var person claims.Person
	var created, codeExpires, expires int64
	var granted, who []byte
	if err := row.Scan(&in.ID, &in.Reference, &in.ClientID, &in.SessionID, &in.Subject, &in.State,
		&created, &codeExpires, &expires, &granted, &who); err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	in.Created, in.CodeExpires, in.Expires = moment(created), moment(codeExpires), moment(expires)
	if err := errors.Join(json.Unmarshal(granted, &in.Grant), json.Unmarshal(who, &person)); err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return in, person, nil
}

// wrap says what was being done; nil stays nil.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
