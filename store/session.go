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

const startSessionSQL = `INSERT INTO session
	(id, secret_hash, subject, acr, amr, auth_time, created, seen, expires, ends, upstream, auth_time_unknown)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`

// StartSession implements session.Store.
func (s *Store) StartSession(ctx context.Context, n session.Session) error {
	args := []any{
		n.ID, n.SecretHash, n.Subject, n.ACR, strings.Join(n.AMR, " "), toMillis(n.AuthTime), toMillis(n.Created),
		toMillis(n.Seen), toMillis(n.Expires), toMillis(n.Ends), n.Upstream, toInt(n.AuthTimeUnknown),
	}
	if n.Remote == nil {
		_, err := s.stmts.startSession.ExecContext(ctx, args...)
		return wrapError("start session", err)
	}
	return wrapError("start session", s.inTransaction(ctx, s.write, func(exec execFunc, _ *sql.Tx) error {
		if _, err := exec(startSessionSQL, args...); err != nil {
			return err
		}
		return recordUpstreamSession(exec, n.ID, *n.Remote)
	}))
}

const findSessionSQL = `SELECT s.id, s.secret_hash, s.subject, s.acr, s.amr, s.auth_time, s.created, s.seen,
	s.expires, s.ends, s.upstream, s.auth_time_unknown, p.person
	FROM session s JOIN person p ON p.subject = s.subject WHERE s.id = $1 AND s.expires > $2 AND s.ends > $2`

// FindSession implements session.Store with one read.
func (s *Store) FindSession(ctx context.Context, id string, at time.Time) (session.Session, claims.Person, error) {
	found, person, err := scanSession(s.stmts.findSession.QueryRowContext(ctx, id, toMillis(at)))
	if errors.Is(err, sql.ErrNoRows) {
		return session.Session{}, claims.Person{}, session.ErrNotFound
	}
	if err != nil {
		return session.Session{}, claims.Person{}, wrapError("find session", err)
	}
	return found, person, nil
}

// scanSession reads a session and its person.
func scanSession(row scanner) (session.Session, claims.Person, error) {
	var found session.Session
	var person claims.Person
	var amr string
	var personJSON []byte
	var authTime, created, seen, expires, ends, unknown int64
	if err := row.Scan(&found.ID, &found.SecretHash, &found.Subject, &found.ACR, &amr, &authTime,
		&created, &seen, &expires, &ends, &found.Upstream, &unknown, &personJSON); err != nil {
		return found, person, err
	}
	found.AuthTimeUnknown = unknown != 0
	if amr != "" {
		found.AMR = strings.Split(amr, " ")
	}
	found.AuthTime, found.Created, found.Seen = fromMillis(authTime), fromMillis(created), fromMillis(seen)
	found.Expires, found.Ends = fromMillis(expires), fromMillis(ends)
	return found, person, json.Unmarshal(personJSON, &person)
}

const renewSessionSQL = `UPDATE session
	SET secret_hash = $1, acr = $2, amr = $3, auth_time = $4, seen = $5, expires = $6, ends = $7,
		upstream = $8, auth_time_unknown = $9
	WHERE id = $10 AND secret_hash = $11`

// RenewSession implements session.Store.
func (s *Store) RenewSession(ctx context.Context, oldHash string, n session.Session) error {
	args := []any{
		n.SecretHash, n.ACR, strings.Join(n.AMR, " "), toMillis(n.AuthTime), toMillis(n.Seen), toMillis(n.Expires),
		toMillis(n.Ends), n.Upstream, toInt(n.AuthTimeUnknown), n.ID, oldHash,
	}
	if n.Remote == nil {
		rows, err := rowsAffected(s.stmts.renewSession.ExecContext(ctx, args...))
		if err == nil && rows == 0 {
			return session.ErrNotFound
		}
		return wrapError("renew session", err)
	}
	err := s.inTransaction(ctx, s.write, func(exec execFunc, _ *sql.Tx) error {
		rows, err := exec(renewSessionSQL, args...)
		if err == nil && rows == 0 {
			return session.ErrNotFound
		}
		if err != nil {
			return err
		}
		return recordUpstreamSession(exec, n.ID, *n.Remote)
	})
	if errors.Is(err, session.ErrNotFound) {
		return session.ErrNotFound
	}
	return wrapError("renew session", err)
}

// touchSessionSQL never moves a time backward, because requests may arrive in any order.
// It does not extend a session that has expired.
const touchSessionSQL = `UPDATE session SET seen = CASE WHEN seen < $2 THEN $2 ELSE seen END,
	expires = CASE WHEN expires < $3 THEN $3 ELSE expires END
	WHERE id = $1 AND expires > $2 AND ends > $2`

// TouchSession implements session.Store. An unknown session is not an error.
func (s *Store) TouchSession(ctx context.Context, id string, seen, expires time.Time) error {
	_, err := s.stmts.touchSession.ExecContext(ctx, id, toMillis(seen), toMillis(expires))
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
			"DELETE FROM upstream_session WHERE session_id = $1",
			"DELETE FROM session WHERE id = $1")
	})
	if err != nil {
		return nil, wrapError("end session", err)
	}
	return clients, nil
}

// expiredSessionSQL is the condition that session $1 is not open at time $3, and does not
// have another subject than $2. It includes sessions that were deleted.
const expiredSessionSQL = ` AND NOT EXISTS (SELECT 1 FROM session
	WHERE id = $1 AND (subject <> $2 OR expires > $3 AND ends > $3))`

// EndSessionOf implements session.Store.
func (s *Store) EndSessionOf(ctx context.Context, id, subject string, at time.Time) ([]string, error) {
	var clients []string
	err := s.inTransaction(ctx, s.write, func(exec execFunc, tx *sql.Tx) (err error) {
		const closeSignins = "UPDATE signin SET state = 3 WHERE session_id = $1 AND subject = $2 AND state <> 3"
		if _, err = exec(closeSignins, id, subject); err != nil {
			return err
		}
		// Changes nothing: it locks the row, if there is one, so that no other process
		// renews the session meanwhile.
		n, err := exec("UPDATE session SET seen = seen WHERE id = $1 AND subject = $2", id, subject)
		if err != nil || n == 0 {
			return err
		}
		if clients, err = s.queueSessionLogouts(ctx, tx, id, at); err != nil {
			return err
		}
		return execAll(exec, []any{id},
			"DELETE FROM session_client WHERE session_id = $1",
			"DELETE FROM upstream_session WHERE session_id = $1",
			"DELETE FROM session WHERE id = $1")
	})
	if err != nil {
		return nil, wrapError("end session of a person", err)
	}
	return clients, nil
}

// LeaveSession implements session.Store.
func (s *Store) LeaveSession(ctx context.Context, id, subject, clientID string) (int, error) {
	var closed int64
	err := s.inTransaction(ctx, s.write, func(exec execFunc, _ *sql.Tx) (err error) {
		const closeSignins = `UPDATE signin SET state = 3
			WHERE session_id = $1 AND subject = $2 AND client_id = $3 AND state <> 3`
		if closed, err = exec(closeSignins, id, subject, clientID); err != nil {
			return err
		}
		_, err = exec(`DELETE FROM session_client WHERE session_id = $1 AND client_id = $3
			AND EXISTS (SELECT 1 FROM session WHERE id = $1 AND subject = $2)`, id, subject, clientID)
		return err
	})
	return int(closed), wrapError("leave session", err)
}

// InheritSession implements session.Store. A sign-in whose code was not redeemed is not
// inherited: it ended with its session.
func (s *Store) InheritSession(ctx context.Context, from, to, subject string, at time.Time) error {
	return wrapError("inherit session", s.inTransaction(ctx, s.write, func(exec execFunc, _ *sql.Tx) error {
		const moveSignins = "UPDATE signin SET session_id = $4 WHERE session_id = $1 AND subject = $2 AND state = 2"
		if _, err := exec(moveSignins+expiredSessionSQL, from, subject, toMillis(at), to); err != nil {
			return err
		}
		_, err := exec(`INSERT INTO session_client (session_id, client_id)
			SELECT $4, c.client_id FROM session_client c WHERE c.session_id = $1 AND EXISTS
				(SELECT 1 FROM session WHERE id = $1 AND subject = $2 AND (expires <= $3 OR ends <= $3))
			ON CONFLICT DO NOTHING`, from, subject, toMillis(at), to)
		return err
	}))
}
