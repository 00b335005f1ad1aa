package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"idpbridge/oidc"
)

const joinSessionSQL = "INSERT INTO session_client (session_id, client_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"

// JoinSession implements oidc.Logouts: one insert.
func (s *Store) JoinSession(ctx context.Context, sessionID, clientID string) error {
	_, err := s.stmts.join.ExecContext(ctx, sessionID, clientID)
	return wrapError("join session", err)
}

// queueSQL queues a logout for every client of some sessions that are about to
// be removed; $2 is the time. What is queued already stays as it is.
const (
	queueLogoutsSQL = `INSERT INTO logout (session_id, client_id, subject, created, tries, next)
	SELECT c.session_id, c.client_id, s.subject, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT)
	FROM session_client c JOIN session s ON s.id = c.session_id WHERE `
	queueSessionLogoutsSQL = queueLogoutsSQL + "s.id = $1 ON CONFLICT DO NOTHING RETURNING client_id"
	queuePersonLogoutsSQL  = queueLogoutsSQL + "s.subject = $1 ON CONFLICT DO NOTHING"
)

// queueSessionLogouts queues the logouts of one session and returns the clients' ids,
// sorted.
func (s *Store) queueSessionLogouts(ctx context.Context, tx *sql.Tx, id string, at time.Time) ([]string, error) {
	rows, err := tx.QueryContext(ctx, s.adaptQuery(queueSessionLogoutsSQL), id, toMillis(at))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var clients []string
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

// takeLogoutsSQL says twice what is due. PostgreSQL lets a second instance wait for the
// first and then asks the outer question again of the row as it has become, and
// the inner one not.
const takeLogoutsSQL = `UPDATE logout SET next = $2, tries = tries + 1
	WHERE next <= $1 AND (session_id, client_id) IN (SELECT d.session_id, d.client_id FROM logout d
		WHERE d.next <= $1 ORDER BY d.next, d.created, d.session_id, d.client_id LIMIT $3)
	RETURNING session_id, client_id, subject, created, tries`

// TakeLogouts implements oidc.Logouts: one update. It takes those that have been
// due longest and returns the oldest of them first. It reads to the end, as redeem does.
func (s *Store) TakeLogouts(ctx context.Context, at, until time.Time, limit int) ([]oidc.Logout, error) {
	rows, err := s.write.QueryContext(ctx, s.adaptQuery(takeLogoutsSQL), toMillis(at), toMillis(until), limit)
	if err != nil {
		return nil, wrapError("take logouts", err)
	}
	defer func() { _ = rows.Close() }()
	var out []oidc.Logout
	for rows.Next() {
		var l oidc.Logout
		var created int64
		if err := rows.Scan(&l.SessionID, &l.ClientID, &l.Subject, &created, &l.Tries); err != nil {
			return nil, wrapError("take logouts", err)
		}
		l.Created = fromMillis(created)
		out = append(out, l)
	}
	if err := rows.Err(); err != nil {
		return nil, wrapError("take logouts", err)
	}
	slices.SortFunc(out, func(a, b oidc.Logout) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.SessionID, b.SessionID), cmp.Compare(a.ClientID, b.ClientID))
	})
	return out, nil
}

// PostponeLogout implements oidc.Logouts.
func (s *Store) PostponeLogout(ctx context.Context, l oidc.Logout, until time.Time) error {
	_, err := s.exec(ctx, "UPDATE logout SET next = $3 WHERE session_id = $1 AND client_id = $2", l.SessionID, l.ClientID, toMillis(until))
	return wrapError("postpone logout", err)
}

// DropLogout implements oidc.Logouts.
func (s *Store) DropLogout(ctx context.Context, l oidc.Logout) error {
	_, err := s.exec(ctx, "DELETE FROM logout WHERE session_id = $1 AND client_id = $2", l.SessionID, l.ClientID)
	return wrapError("drop logout", err)
}

// PendingLogouts is how many logouts clients are yet to be told of, those that
// are being told at this moment included.
func (s *Store) PendingLogouts(ctx context.Context) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM logout").Scan(&n)
	return n, wrapError("count logouts", err)
}
