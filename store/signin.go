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

// The columns that scanColumns reads, alone and where signin is s.
const (
	signinColumns = `id, reference, client_id, session_id, subject, state, created, code_expires, expires, granted,
	refresh_number, refresh_issued, refresh_expires, refresh_ends`
	joinedSigninColumns = `s.id, s.reference, s.client_id, s.session_id, s.subject, s.state, s.created, s.code_expires, s.expires, s.granted,
	s.refresh_number, s.refresh_issued, s.refresh_expires, s.refresh_ends`
)

const insertSigninSQL = "INSERT INTO signin (" + signinColumns + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"

// Answer implements oidc.Signins: one insert.
func (s *Store) Answer(ctx context.Context, in oidc.Signin) error {
	granted, err := json.Marshal(in.Grant)
	if err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	if _, err := s.stmts.answer.ExecContext(ctx, in.ID, in.Reference, in.ClientID, in.SessionID, in.Subject, int(in.State),
		toMillis(in.Created), toMillis(in.CodeExpires), toMillis(in.Expires), string(granted),
		in.Refresh.Number, toMillis(in.Refresh.Issued), toMillis(in.Refresh.Expires), toMillis(in.Refresh.Ends)); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// redeemCodeSQL is the gate: of any number of callers, one gets a row.
const redeemCodeSQL = `UPDATE signin SET state = 2
	WHERE id = $1 AND state = 1 AND code_expires > $2
	AND (session_id = '' OR EXISTS (SELECT 1 FROM session
		WHERE session.id = signin.session_id AND session.expires > $2 AND session.ends > $2))
	AND EXISTS (SELECT 1 FROM person WHERE person.subject = signin.subject)
	RETURNING ` + signinColumns + `, (SELECT person FROM person WHERE person.subject = signin.subject)`

// closeReplayedSQL closes a sign-in whose code comes back, however late. One that never
// had a code cannot be replayed.
const closeReplayedSQL = "UPDATE signin SET state = 3 WHERE id = $1 AND state = 2 AND code_expires > 0 RETURNING " + signinColumns + ", ''"

// Redeem implements oidc.Signins: one update, and a second only for a loser. The
// first loser gets ErrReplayed; those after it find the sign-in closed, which is
// ErrNotFound, since a sign-in may be closed for other reasons than a replay.
func (s *Store) Redeem(ctx context.Context, id string, at time.Time) (oidc.Signin, claims.Person, error) {
	in, person, err := s.runRedemption(ctx, id, at)
	if !errors.Is(err, sql.ErrNoRows) {
		return in, person, wrapError("redeem", err)
	}
	var none string
	err = queryOnce(ctx, s.stmts.replay, func(row scanner) (err error) {
		in, err = scanColumns(row, &none)
		return err
	}, id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	case err != nil:
		return oidc.Signin{}, claims.Person{}, wrapError("close replayed sign-in", err)
	}
	return in, claims.Person{}, oidc.ErrReplayed
}

// runRedemption passes the gate, or returns sql.ErrNoRows.
func (s *Store) runRedemption(ctx context.Context, id string, at time.Time) (in oidc.Signin, person claims.Person, err error) {
	err = queryOnce(ctx, s.stmts.redeem, func(row scanner) (err error) {
		in, person, err = scanSignin(row)
		return err
	}, id, toMillis(at))
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return in, person, nil
}

// queryOnce runs a statement that changes at most one row and scans that row, or
// returns sql.ErrNoRows. It reads past the row: SQLite commits when the statement
// is done, and only then is it known to have happened once.
func queryOnce(ctx context.Context, gate *sql.Stmt, scan func(row scanner) error, args ...any) error {
	rows, err := gate.QueryContext(ctx, args...)
	if err != nil {
		return err
	}
	if rows.Next() {
		err = scan(rows)
		rows.Next()
	} else {
		err = sql.ErrNoRows
	}
	if failed := errors.Join(rows.Err(), rows.Close()); failed != nil { //nolint:sqlclosecheck // the error of Close is the verdict
		return failed
	}
	return err
}

const findSigninSQL = `SELECT ` + joinedSigninColumns + `, p.person
	FROM signin s JOIN person p ON p.subject = s.subject WHERE s.id = $1 AND s.state <> 3 AND s.expires > $2`

// Find implements oidc.Signins.
func (s *Store) Find(ctx context.Context, id string, at time.Time) (oidc.Signin, claims.Person, error) {
	in, person, err := scanSignin(s.stmts.find.QueryRowContext(ctx, id, toMillis(at)))
	if errors.Is(err, sql.ErrNoRows) {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	return in, person, wrapError("find sign-in", err)
}

// CloseSignin implements oidc.Signins.
func (s *Store) CloseSignin(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "UPDATE signin SET state = 3 WHERE id = $1 AND state <> 3", id)
	return wrapError("close sign-in", err)
}

// RecentSignin is a sign-in and the name of the person, for the development page.
type RecentSignin struct {
	oidc.Signin

	Username string
}

// RecentSignins returns at most limit of the latest sign-ins, newest first, in
// whatever state. The username is empty where the person is gone. Bare ID tokens
// leave no row.
func (s *Store) RecentSignins(ctx context.Context, limit int) ([]RecentSignin, error) {
	rows, err := s.read.QueryContext(ctx, s.adaptQuery(`SELECT `+joinedSigninColumns+`, COALESCE(p.username, '')
		FROM signin s LEFT JOIN person p ON p.subject = s.subject ORDER BY s.created DESC, s.id LIMIT $1`), limit)
	if err != nil {
		return nil, wrapError("recent sign-ins", err)
	}
	defer func() { _ = rows.Close() }()
	var out []RecentSignin
	for rows.Next() {
		var r RecentSignin
		if r.Signin, err = scanColumns(rows, &r.Username); err != nil {
			return nil, wrapError("recent sign-ins", err)
		}
		out = append(out, r)
	}
	return out, wrapError("recent sign-ins", rows.Err())
}

// scanner is a row of either kind.
type scanner interface{ Scan(dest ...any) error }

// scanSignin reads a sign-in and its person.
func scanSignin(row scanner) (oidc.Signin, claims.Person, error) {
	var person claims.Person
	var who []byte
	in, err := scanColumns(row, &who)
	if err == nil {
		err = json.Unmarshal(who, &person)
	}
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return in, person, nil
}

// scanColumns reads signinColumns and one column more.
func scanColumns(row scanner, last any) (oidc.Signin, error) {
	var in oidc.Signin
	var state, created, codeExpires, expires, issued, idle, ends int64
	var granted []byte
	if err := row.Scan(&in.ID, &in.Reference, &in.ClientID, &in.SessionID, &in.Subject, &state,
		&created, &codeExpires, &expires, &granted, &in.Refresh.Number, &issued, &idle, &ends, last); err != nil {
		return oidc.Signin{}, err
	}
	in.State = oidc.State(state)
	in.Created, in.CodeExpires, in.Expires = fromMillis(created), fromMillis(codeExpires), fromMillis(expires)
	in.Refresh.Issued, in.Refresh.Expires, in.Refresh.Ends = fromMillis(issued), fromMillis(idle), fromMillis(ends)
	if err := json.Unmarshal(granted, &in.Grant); err != nil {
		return oidc.Signin{}, err
	}
	return in, nil
}

// wrapError says what was being done; nil stays nil.
func wrapError(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
