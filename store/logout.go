package store

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"idpbridge/oidc"
)

const joinSQL = "INSERT INTO session_client (session_id, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"

// JoinSession implements oidc.Logouts.
func (s *Store) JoinSession(ctx context.Context, sessionID, clientID string) error {
	_, err := s.hot.join.ExecContext(ctx, sessionID, clientID)
	return wrap("join session", err)
}

// EndSession implements web.Sessions.
func (s *Store) EndSession(ctx context.Context, id string, at time.Time) (clients []string, err error) {
	err = s.tx(ctx, s.write, func(exec execFunc, tx *sql.Tx) error {
		clients, err = s.joined(ctx, tx, id)
		if err != nil {
			return err
		}
		return endSessions(exec, "id = $1", id, at)
	})
	return clients, wrap("end session", err)
}

// joined lists the clients of a session, sorted.
func (s *Store) joined(ctx context.Context, tx *sql.Tx, id string) (clients []string, err error) {
	rows, err := tx.QueryContext(ctx, s.dialect("SELECT client_id FROM session_client WHERE session_id = $1"), id)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var client string
		if err := rows.Scan(&client); err != nil {
			return nil, err
		}
		clients = append(clients, client)
	}
	slices.Sort(clients)
	return clients, rows.Err()
}

// endSessions ends the sessions that a condition on id or subject, with one
// parameter, picks: it closes what was answered from them, queues a logout for
// each of their clients, and removes them. All in the caller's transaction.
func endSessions(exec execFunc, which, value string, at time.Time) error {
	ids := "(SELECT id FROM session WHERE " + which + ")"
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{"UPDATE signin SET state = 3 WHERE session_id IN " + ids + " AND state <> 3", []any{value}},
		{`INSERT INTO logout (session_id, client_id, subject, created, tries, due)
			SELECT c.session_id, c.client_id, session.subject, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT)
			FROM session_client c JOIN session ON session.id = c.session_id WHERE session.` + which + ` ON CONFLICT DO NOTHING`, []any{value, millis(at)}},
		{"DELETE FROM session_client WHERE session_id IN " + ids, []any{value}},
		{"DELETE FROM session WHERE " + which, []any{value}},
	} {
		if _, err := exec(statement.sql, statement.args...); err != nil {
			return err
		}
	}
	return nil
}

// takeSQL repeats the condition outside: with PostgreSQL an instance that waited
// for another one's lease looks at the row as that one left it.
const takeSQL = `UPDATE logout SET due = $2, tries = tries + 1 WHERE due <= $1
	AND (session_id, client_id) IN (SELECT session_id, client_id FROM logout WHERE due <= $1 ORDER BY due, created, session_id, client_id LIMIT $3)
	RETURNING session_id, client_id, subject, created, tries`

// TakeLogouts implements oidc.Logouts: one update.
func (s *Store) TakeLogouts(ctx context.Context, at, until time.Time, limit int) (out []oidc.Logout, err error) {
	rows, err := s.write.QueryContext(ctx, s.dialect(takeSQL), millis(at), millis(until), limit)
	if err != nil {
		return nil, wrap("take logouts", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l oidc.Logout
		var created int64
		if err := rows.Scan(&l.SessionID, &l.ClientID, &l.Subject, &created, &l.Tries); err != nil {
			return nil, wrap("take logouts", err)
		}
		l.Created = moment(created)
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b oidc.Logout) int {
		if order := a.Created.Compare(b.Created); order != 0 {
			return order
		}
		return strings.Compare(a.SessionID+" "+a.ClientID, b.SessionID+" "+b.ClientID)
	})
	return out, wrap("take logouts", rows.Err())
}

// PostponeLogout implements oidc.Logouts.
func (s *Store) PostponeLogout(ctx context.Context, l oidc.Logout, until time.Time) error {
	_, err := s.exec(ctx, "UPDATE logout SET due = $3 WHERE session_id = $1 AND client_id = $2", l.SessionID, l.ClientID, millis(until))
	return wrap("postpone logout", err)
}

// DropLogout implements oidc.Logouts.
func (s *Store) DropLogout(ctx context.Context, l oidc.Logout) error {
	_, err := s.exec(ctx, "DELETE FROM logout WHERE session_id = $1 AND client_id = $2", l.SessionID, l.ClientID)
	return wrap("drop logout", err)
}

// WaitingLogouts is how many clients are yet to be told.
func (s *Store) WaitingLogouts(ctx context.Context) (n int, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM logout").Scan(&n)
	return n, wrap("count logouts", err)
}
