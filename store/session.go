package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"idpbridge/claims"
	"idpbridge/web"
)

// StartSession implements web.Sessions.
func (s *Store) StartSession(ctx context.Context, n web.Session) error {
	_, err := s.exec(ctx, `INSERT INTO session (id, secret_hash, subject, acr, amr, auth_time, created, seen, expires, ends)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		n.ID, n.SecretHash, n.Subject, n.ACR, strings.Join(n.AMR, " "),
		millis(n.AuthTime), millis(n.Created), millis(n.Seen), millis(n.Expires), millis(n.Ends))
	return wrap("start session", err)
}

const sessionSQL = `SELECT s.id, s.secret_hash, s.subject, s.acr, s.amr, s.auth_time, s.created, s.seen, s.expires, s.ends, p.person
	FROM session s JOIN person p ON p.subject = s.subject WHERE s.id = $1 AND s.expires > $2 AND s.ends > $2`

// FindSession implements web.Sessions: one read.
func (s *Store) FindSession(ctx context.Context, id string, at time.Time) (web.Session, claims.Person, error) {
	var out web.Session
	var person claims.Person
	var amr string
	var who []byte
	var authTime, created, seen, expires, ends int64
	err := s.hot.session.QueryRowContext(ctx, id, millis(at)).Scan(&out.ID, &out.SecretHash, &out.Subject, &out.ACR, &amr,
		&authTime, &created, &seen, &expires, &ends, &who)
	if errors.Is(err, sql.ErrNoRows) {
		return web.Session{}, claims.Person{}, web.ErrNoSession
	}
	if err == nil {
		err = json.Unmarshal(who, &person)
	}
	if err != nil {
		return web.Session{}, claims.Person{}, wrap("find session", err)
	}
	out.AMR = strings.Fields(amr)
	out.AuthTime, out.Created, out.Seen = moment(authTime), moment(created), moment(seen)
	out.Expires, out.Ends = moment(expires), moment(ends)
	return out, person, nil
}

// RenewSession implements web.Sessions.
func (s *Store) RenewSession(ctx context.Context, old string, n web.Session) error {
	changed, err := s.exec(ctx, `UPDATE session SET secret_hash = $1, acr = $2, amr = $3, auth_time = $4, seen = $5, expires = $6, ends = $7
		WHERE id = $8 AND secret_hash = $9`,
		n.SecretHash, n.ACR, strings.Join(n.AMR, " "), millis(n.AuthTime), millis(n.Seen), millis(n.Expires), millis(n.Ends), n.ID, old)
	if err == nil && changed == 0 {
		return web.ErrNoSession
	}
	return wrap("renew session", err)
}

const touchSQL = "UPDATE session SET seen = $2, expires = $3 WHERE id = $1 AND seen < $2"

// TouchSession implements web.Sessions.
func (s *Store) TouchSession(ctx context.Context, id string, seen, expires time.Time) error {
	_, err := s.hot.touch.ExecContext(ctx, id, millis(seen), millis(expires))
	return wrap("touch session", err)
}

// EndSession implements web.Sessions.
func (s *Store) EndSession(ctx context.Context, id string) error {
	return wrap("end session", s.tx(ctx, func(exec execFunc, _ *sql.Tx) error {
		if _, err := exec("UPDATE signin SET state = 3 WHERE session_id = $1 AND state <> 3", id); err != nil {
			return err
		}
		_, err := exec("DELETE FROM session WHERE id = $1", id)
		return err
	}))
}
