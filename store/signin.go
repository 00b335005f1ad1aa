package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"idpbridge/claims"
	"idpbridge/oidc"
)

// The columns that scanColumns reads. In joined queries, table signin has the alias s.
const (
	signinColumns = `id, reference, client_id, session_id, subject, state, created, code_expires, expires,
	granted, refresh_number, refresh_issued, refresh_expires, refresh_ends, upstream, exchanged_by`
	joinedSigninColumns = `s.id, s.reference, s.client_id, s.session_id, s.subject, s.state, s.created,
	s.code_expires, s.expires, s.granted, s.refresh_number, s.refresh_issued, s.refresh_expires, s.refresh_ends,
	s.upstream, s.exchanged_by`
)

// insertSigninSQL also counts the sign-ins of the session.
const insertSigninSQL = "INSERT INTO signin (" + signinColumns + `)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
	RETURNING (SELECT COUNT(*) FROM signin s WHERE s.session_id = $4)`

// trimSigninsSQL deletes all sign-ins of a session but $2, the newest and redeemed first.
const trimSigninsSQL = `DELETE FROM signin WHERE id IN (SELECT id FROM signin WHERE session_id = $1
	ORDER BY CASE WHEN state = 1 THEN 1 ELSE 0 END, created DESC, id LIMIT 1000 OFFSET $2)`

// RecordSignin implements oidc.Signins with one insert, and a delete if the session has too
// many sign-ins.
func (s *Store) RecordSignin(ctx context.Context, signin oidc.Signin) error {
	granted, err := json.Marshal(signin.Grant)
	if err != nil {
		return wrapError("insert sign-in", err)
	}
	var count int
	err = queryOnce(ctx, s.stmts.insertSignin, func(row scanner) error { return row.Scan(&count) },
		signin.ID, signin.Reference, signin.ClientID, signin.SessionID,
		signin.Subject, int(signin.State), toMillis(signin.Created), toMillis(signin.CodeExpires),
		toMillis(signin.Expires), string(granted), signin.Refresh.Number, toMillis(signin.Refresh.Issued),
		toMillis(signin.Refresh.Expires), toMillis(signin.Refresh.Ends), signin.Upstream, signin.ExchangedBy)
	if err == nil && signin.SessionID != "" && count >= oidc.MaxSigninsPerSession {
		_, err = s.exec(ctx, trimSigninsSQL, signin.SessionID, oidc.MaxSigninsPerSession)
	}
	return wrapError("insert sign-in", err)
}

// redeemCodeSQL redeems a code, and extends the row to the life of its tokens, the access
// token's being $3. Of any number of callers, only one gets a row.
const redeemCodeSQL = `UPDATE signin SET state = 2,
	expires = CASE WHEN expires >= code_expires + $3 AND expires >= refresh_expires THEN expires
		WHEN code_expires + $3 >= refresh_expires THEN code_expires + $3 ELSE refresh_expires END
	WHERE id = $1 AND state = 1 AND code_expires > $2
	AND (session_id = '' OR EXISTS (SELECT 1 FROM session
		WHERE session.id = signin.session_id AND session.expires > $2 AND session.ends > $2))
	AND EXISTS (SELECT 1 FROM person WHERE person.subject = signin.subject)
	RETURNING ` + signinColumns + `, (SELECT person FROM person WHERE person.subject = signin.subject)`

// closeReplayedSQL closes a sign-in whose code is redeemed again, however late. A sign-in
// that never had a code cannot be replayed.
const closeReplayedSQL = `UPDATE signin SET state = 3 WHERE id = $1 AND state = 2 AND code_expires > 0
	RETURNING ` + signinColumns + ", ''"

// RedeemCode implements oidc.Signins with one update, and a second one if the code cannot be
// redeemed. The second caller gets ErrReplayed. Later ones find the sign-in closed and get
// ErrNotFound, because a sign-in may have been closed for another reason.
func (s *Store) RedeemCode(
	ctx context.Context, id string, at time.Time, access time.Duration,
) (oidc.Signin, claims.Person, error) {
	signin, person, err := s.runRedemption(ctx, id, at, access)
	if !errors.Is(err, sql.ErrNoRows) {
		return signin, person, wrapError("redeem code", err)
	}
	var none string
	err = queryOnce(ctx, s.stmts.closeReplayed, func(row scanner) (err error) {
		signin, err = scanColumns(row, &none)
		return err
	}, id)
	if errors.Is(err, sql.ErrNoRows) {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	if err != nil {
		return oidc.Signin{}, claims.Person{}, wrapError("close replayed sign-in", err)
	}
	return signin, claims.Person{}, oidc.ErrReplayed
}

// runRedemption runs redeemCodeSQL. It returns sql.ErrNoRows if the code is not valid.
func (s *Store) runRedemption(
	ctx context.Context, id string, at time.Time, access time.Duration,
) (signin oidc.Signin, person claims.Person, err error) {
	err = queryOnce(ctx, s.stmts.redeemCode, func(row scanner) (err error) {
		signin, person, err = scanSignin(row)
		return err
	}, id, toMillis(at), access.Milliseconds())
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return signin, person, nil
}

const findSigninSQL = `SELECT ` + joinedSigninColumns + `, p.person
	FROM signin s JOIN person p ON p.subject = s.subject WHERE s.id = $1 AND s.state <> 3 AND s.expires > $2`

// FindSignin implements oidc.Signins.
func (s *Store) FindSignin(ctx context.Context, id string, at time.Time) (oidc.Signin, claims.Person, error) {
	signin, person, err := scanSignin(s.stmts.findSignin.QueryRowContext(ctx, id, toMillis(at)))
	if errors.Is(err, sql.ErrNoRows) {
		return oidc.Signin{}, claims.Person{}, oidc.ErrNotFound
	}
	return signin, person, wrapError("find sign-in", err)
}

// CloseSignin implements oidc.Signins.
func (s *Store) CloseSignin(ctx context.Context, id string) error {
	_, err := s.exec(ctx, "UPDATE signin SET state = 3 WHERE id = $1 AND state <> 3", id)
	return wrapError("close sign-in", err)
}

// RecentSignin is a sign-in and the username of the person.
type RecentSignin struct {
	oidc.Signin

	Username string // empty if the person was deleted
}

// RecentSignins returns the latest sign-ins, newest first, in any state and at most limit
// of them. Sign-ins that got only an ID token are not stored.
func (s *Store) RecentSignins(ctx context.Context, limit int) ([]RecentSignin, error) {
	scan := func(row scanner) (r RecentSignin, err error) {
		r.Signin, err = scanColumns(row, &r.Username)
		return r, err
	}
	all, err := queryAll(ctx, s.read, scan, s.adaptQuery(`SELECT `+joinedSigninColumns+`, COALESCE(p.username, '')
		FROM signin s LEFT JOIN person p ON p.subject = s.subject ORDER BY s.created DESC, s.id LIMIT $1`), limit)
	return all, wrapError("list recent sign-ins", err)
}

// scanSignin reads a sign-in and its person.
func scanSignin(row scanner) (oidc.Signin, claims.Person, error) {
	var person claims.Person
	var personJSON []byte
	signin, err := scanColumns(row, &personJSON)
	if err == nil {
		err = json.Unmarshal(personJSON, &person)
	}
	if err != nil {
		return oidc.Signin{}, claims.Person{}, err
	}
	return signin, person, nil
}

// scanColumns reads signinColumns and one more column, into last.
func scanColumns(row scanner, last any) (oidc.Signin, error) {
	var s oidc.Signin
	var state, created, codeExpires, expires, issued, idle, ends int64
	var granted []byte
	if err := row.Scan(&s.ID, &s.Reference, &s.ClientID, &s.SessionID, &s.Subject, &state,
		&created, &codeExpires, &expires, &granted, &s.Refresh.Number, &issued, &idle, &ends,
		&s.Upstream, &s.ExchangedBy, last); err != nil {
		return oidc.Signin{}, err
	}
	s.State = oidc.State(state)
	s.Created, s.CodeExpires, s.Expires = fromMillis(created), fromMillis(codeExpires), fromMillis(expires)
	s.Refresh.Issued, s.Refresh.Expires, s.Refresh.Ends = fromMillis(issued), fromMillis(idle), fromMillis(ends)
	if err := json.Unmarshal(granted, &s.Grant); err != nil {
		return oidc.Signin{}, err
	}
	return s, nil
}
