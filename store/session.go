package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"idpbridge/claims"
	"idpbridge/session"
)

const startSessionSQL = `INSERT INTO session (id, secret_hash, subject, acr, amr, auth_time, created, seen, expires, ends)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`

// StartSession implements session.Store.
func (s *Store) StartSession(ctx context.Context, n session.Session) error {
	_, err := s.stmts.start.ExecContext(ctx, n.ID, n.SecretHash, n.Subject, n.ACR, strings.Join(n.AMR, " "),
		toMillis(n.AuthTime), toMillis(n.Created), toMillis(n.Seen), toMillis(n.Expires), toMillis(n.Ends))
	return wrapError("start session", err)
}

const findSessionSQL = `SELECT s.id, s.secret_hash, s.subject, s.acr, s.amr, s.auth_time, s.created, s.seen, s.expires, s.ends, p.person
	FROM session s JOIN person p ON p.subject = s.subject WHERE s.id = $1 AND s.expires > $2 AND s.ends > $2`

// FindSession implements session.Store: one read.
func (s *Store) FindSession(ctx context.Context, id string, at time.Time) (session.Session, claims.Person, error) {
	var out session.Session
	var person claims.Person
	var amr string
	var who []byte
	var authTime, created, seen, expires, ends int64
	err := s.stmts.session.QueryRowContext(ctx, id, toMillis(at)).Scan(&out.ID, &out.SecretHash, &out.Subject, &out.ACR, &amr,
		&authTime, &created, &seen, &expires, &ends, &who)
	if errors.Is(err, sql.ErrNoRows) {
		return session.Session{}, claims.Person{}, session.ErrNotFound
	}
	if err == nil {
		err = json.Unmarshal(who, &person)
	}
	if err != nil {
		return session.Session{}, claims.Person{}, wrapError("find session", err)
	}
	if amr != "" {
		out.AMR = strings.Split(amr, " ")
	}
	out.AuthTime, out.Created, out.Seen = fromMillis(authTime), fromMillis(created), fromMillis(seen)
	out.Expires, out.Ends = fromMillis(expires), fromMillis(ends)
	return out, person, nil
}

const renewSessionSQL = `UPDATE session SET secret_hash = $1, acr = $2, amr = $3, auth_time = $4, seen = $5, expires = $6, ends = $7
	WHERE id = $8 AND secret_hash = $9`

// RenewSession implements session.Store.
func (s *Store) RenewSession(ctx context.Context, old string, n session.Session) error {
	rows, err := rowsAffected(s.stmts.renew.ExecContext(ctx, n.SecretHash, n.ACR, strings.Join(n.AMR, " "),
		toMillis(n.AuthTime), toMillis(n.Seen), toMillis(n.Expires), toMillis(n.Ends), n.ID, old))
	if err == nil && rows == 0 {
		return session.ErrNotFound
	}
	return wrapError("renew session", err)
}

// touchSessionSQL only ever moves forward, whatever the order in which two requests
// arrive, and does not wake a session that had expired when it was used.
const touchSessionSQL = `UPDATE session SET seen = CASE WHEN seen < $2 THEN $2 ELSE seen END,
	expires = CASE WHEN expires < $3 THEN $3 ELSE expires END
	WHERE id = $1 AND expires > $2 AND ends > $2`

// TouchSession implements session.Store. One that is unknown is no error.
func (s *Store) TouchSession(ctx context.Context, id string, seen, expires time.Time) error {
	_, err := s.stmts.touch.ExecContext(ctx, id, toMillis(seen), toMillis(expires))
	return wrapError("touch session", err)
}

// EndSession implements session.Store.
func (s *Store) EndSession(ctx context.Context, id string, at time.Time) ([]string, error) {
	var clients []string
	err := s.inTransaction(ctx, s.write, func(exec execFunc, tx *sql.Tx) (err error) {
		if clients, err = s.queueSessionLogouts(ctx, tx, id, at); err != nil {
			return err
		}
		return execAll(exec, []any{id},
			"UPDATE signin SET state = 3 WHERE session_id = $1 AND state <> 3",
			"DELETE FROM session_client WHERE session_id = $1",
			"DELETE FROM session WHERE id = $1")
	})
	if err != nil {
		return nil, wrapError("end session", err)
	}
	return clients, nil
}

// sessionNotOpenSQL says that a session $1 is not open at $3, and not somebody else's than $2.
const sessionNotOpenSQL = ` AND NOT EXISTS (SELECT 1 FROM session WHERE id = $1 AND (subject <> $2 OR expires > $3 AND ends > $3))`

// EndExpiredSession implements session.Store.
func (s *Store) EndExpiredSession(ctx context.Context, id, subject string, at time.Time) ([]string, error) {
	var clients []string
	err := s.inTransaction(ctx, s.write, func(exec execFunc, tx *sql.Tx) (err error) {
		if _, err = exec("UPDATE signin SET state = 3 WHERE session_id = $1 AND subject = $2 AND state <> 3"+sessionNotOpenSQL, id, subject, toMillis(at)); err != nil {
			return err
		}
		// Whether there is such a row, and nobody else ends or renews it meanwhile.
		n, err := exec("UPDATE session SET seen = seen WHERE id = $1 AND subject = $2 AND (expires <= $3 OR ends <= $3)", id, subject, toMillis(at))
		if err != nil || n == 0 {
			return err
		}
		if clients, err = s.queueSessionLogouts(ctx, tx, id, at); err != nil {
			return err
		}
		return execAll(exec, []any{id}, "DELETE FROM session_client WHERE session_id = $1", "DELETE FROM session WHERE id = $1")
	})
	if err != nil {
		return nil, wrapError("end past session", err)
	}
	return clients, nil
}

// InheritSession implements session.Store. What has a code that was not redeemed
// stays behind: it ended with its session.
func (s *Store) InheritSession(ctx context.Context, from, to, subject string, at time.Time) error {
	return wrapError("inherit session", s.inTransaction(ctx, s.write, func(exec execFunc, _ *sql.Tx) error {
		if _, err := exec("UPDATE signin SET session_id = $4 WHERE session_id = $1 AND subject = $2 AND state = 2"+sessionNotOpenSQL, from, subject, toMillis(at), to); err != nil {
			return err
		}
		_, err := exec(`INSERT INTO session_client (session_id, client_id) SELECT $4, c.client_id FROM session_client c
			WHERE c.session_id = $1 AND EXISTS (SELECT 1 FROM session WHERE id = $1 AND subject = $2 AND (expires <= $3 OR ends <= $3))
			ON CONFLICT DO NOTHING`, from, subject, toMillis(at), to)
		return err
	}))
}

// execAll runs statements with the same parameters, one after the other.
func execAll(exec execFunc, args []any, statements ...string) error {
	for _, statement := range statements {
		if _, err := exec(statement, args...); err != nil {
			return err
		}
	}
	return nil
}
