package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"time"

	"idpbridge/oidc"
)

// joinSessionSQL adds nothing to a session that has ended, since nothing would delete it.
const joinSessionSQL = `INSERT INTO session_client (session_id, client_id)
	SELECT id, $2 FROM session WHERE id = $1 ON CONFLICT DO NOTHING`

// JoinSession implements oidc.Logouts with one insert.
func (s *Store) JoinSession(ctx context.Context, sessionID, clientID string) error {
	_, err := s.stmts.joinSession.ExecContext(ctx, sessionID, clientID)
	return wrapError("join session", err)
}

// queueLogoutsSQL queues a logout for every client of sessions that are about to be
// deleted; $2 is the time. It does not change logouts that are queued already.
const (
	queueLogoutsSQL = `INSERT INTO logout (session_id, client_id, subject, created, tries, next)
	SELECT c.session_id, c.client_id, s.subject, CAST($2 AS BIGINT), 0, CAST($2 AS BIGINT)
	FROM session_client c JOIN session s ON s.id = c.session_id WHERE `
	queueSessionLogoutsSQL = queueLogoutsSQL + "s.id = $1 ON CONFLICT DO NOTHING RETURNING client_id"
	queuePersonLogoutsSQL  = queueLogoutsSQL + "s.subject = $1 ON CONFLICT DO NOTHING"
)

// queueSessionLogouts queues the logouts of one session and returns the ids of its
// clients, sorted.
func (s *Store) queueSessionLogouts(ctx context.Context, tx *sql.Tx, id string, at time.Time) ([]string, error) {
	clients, err := queryAll(ctx, tx, scanString, s.adaptQuery(queueSessionLogoutsSQL), id, toMillis(at))
	slices.Sort(clients)
	return clients, err
}

func scanString(row scanner) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

// takeLogoutsSQL has the condition for due logouts twice. In PostgreSQL, an instance that
// waited for another one checks only the outer condition again, for the changed row.
const takeLogoutsSQL = `UPDATE logout SET next = $2, tries = tries + 1
	WHERE next <= $1 AND (session_id, client_id) IN (SELECT d.session_id, d.client_id FROM logout d
		WHERE d.next <= $1 ORDER BY d.next, d.created, d.session_id, d.client_id LIMIT $3)
	RETURNING session_id, client_id, subject, created, tries`

// TakeLogouts implements oidc.Logouts with one update. It takes the logouts that have been
// due longest, and returns them by age, oldest first.
func (s *Store) TakeLogouts(ctx context.Context, at, until time.Time, limit int) ([]oidc.Logout, error) {
	taken, err := queryAll(ctx, s.write, scanLogout, s.adaptQuery(takeLogoutsSQL), toMillis(at), toMillis(until), limit)
	if err != nil {
		return nil, wrapError("take logouts", err)
	}
	slices.SortFunc(taken, func(a, b oidc.Logout) int {
		return cmp.Or(
			a.Created.Compare(b.Created),
			cmp.Compare(a.SessionID, b.SessionID),
			cmp.Compare(a.ClientID, b.ClientID),
		)
	})
	return taken, nil
}

func scanLogout(row scanner) (oidc.Logout, error) {
	var l oidc.Logout
	var created int64
	err := row.Scan(&l.SessionID, &l.ClientID, &l.Subject, &created, &l.Tries)
	l.Created = fromMillis(created)
	return l, err
}

// PostponeLogout implements oidc.Logouts.
func (s *Store) PostponeLogout(ctx context.Context, l oidc.Logout, until time.Time) error {
	_, err := s.exec(ctx, "UPDATE logout SET next = $3 WHERE session_id = $1 AND client_id = $2",
		l.SessionID, l.ClientID, toMillis(until))
	return wrapError("postpone logout", err)
}

// DropLogout implements oidc.Logouts.
func (s *Store) DropLogout(ctx context.Context, l oidc.Logout) error {
	_, err := s.exec(ctx, "DELETE FROM logout WHERE session_id = $1 AND client_id = $2", l.SessionID, l.ClientID)
	return wrapError("drop logout", err)
}

// PendingLogouts returns how many logouts clients have not been notified of, including
// those whose notification is under way.
func (s *Store) PendingLogouts(ctx context.Context) (int, error) {
	var n int
	err := s.read.QueryRowContext(ctx, "SELECT COUNT(*) FROM logout").Scan(&n)
	return n, wrapError("count logouts", err)
}
