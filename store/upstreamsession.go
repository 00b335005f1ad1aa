package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"idpbridge/session"
)

const recordUpstreamSessionSQL = `INSERT INTO upstream_session
	(session_id, upstream, subject_hash, session_hash, id_token, refresh_token, refreshed)
	VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (session_id) DO UPDATE SET upstream = excluded.upstream, subject_hash = excluded.subject_hash,
		session_hash = excluded.session_hash, id_token = excluded.id_token,
		refresh_token = excluded.refresh_token, refreshed = excluded.refreshed`

// recordUpstreamSession stores the upstream session of a session.
func recordUpstreamSession(exec execFunc, sessionID string, u session.UpstreamSession) error {
	_, err := exec(recordUpstreamSessionSQL, sessionID, u.Upstream, u.SubjectHash, u.SessionHash, u.IDToken,
		u.RefreshToken, toMillis(u.Refreshed))
	return err
}

const findUpstreamSessionSQL = `SELECT upstream, subject_hash, session_hash, id_token, refresh_token, refreshed
	FROM upstream_session WHERE session_id = $1`

// FindUpstreamSession implements session.Store.
func (s *Store) FindUpstreamSession(ctx context.Context, sessionID string) (session.UpstreamSession, error) {
	var u session.UpstreamSession
	var refreshed int64
	err := s.read.QueryRowContext(ctx, s.adaptQuery(findUpstreamSessionSQL), sessionID).
		Scan(&u.Upstream, &u.SubjectHash, &u.SessionHash, &u.IDToken, &u.RefreshToken, &refreshed)
	if errors.Is(err, sql.ErrNoRows) {
		return session.UpstreamSession{}, session.ErrNotFound
	}
	u.Refreshed = fromMillis(refreshed)
	return u, wrapError("find upstream session", err)
}

// ReplaceUpstreamSession implements session.Store.
func (s *Store) ReplaceUpstreamSession(
	ctx context.Context, sessionID, oldRefreshToken string, u session.UpstreamSession,
) (bool, error) {
	rows, err := s.exec(ctx, `UPDATE upstream_session SET id_token = $1, refresh_token = $2, refreshed = $3
		WHERE session_id = $4 AND refresh_token = $5`,
		u.IDToken, u.RefreshToken, toMillis(u.Refreshed), sessionID, oldRefreshToken)
	return rows > 0, wrapError("replace upstream session", err)
}

// The sessions of a person at an upstream, and the one of a session there.
const (
	sessionsBySubjectSQL = "SELECT session_id FROM upstream_session WHERE upstream = $1 AND subject_hash = $2"
	sessionsByHashSQL    = "SELECT session_id FROM upstream_session WHERE upstream = $1 AND session_hash = $2"
)

// EndUpstreamSessions implements session.Store. It ends one session after the other, so that
// a person with many of them holds up no one else.
func (s *Store) EndUpstreamSessions(
	ctx context.Context, upstream, subjectHash, sessionHash string, at time.Time,
) (int, error) {
	query, hash := sessionsBySubjectSQL, subjectHash
	if sessionHash != "" {
		query, hash = sessionsByHashSQL, sessionHash
	}
	if hash == "" || !isText(hash) {
		return 0, nil
	}
	ids, err := queryAll(ctx, s.read, scanString, s.adaptQuery(query), upstream, hash)
	if err != nil {
		return 0, wrapError("find upstream sessions", err)
	}
	for i, id := range ids {
		if _, err := s.EndSession(ctx, id, at); err != nil {
			return i, err
		}
	}
	return len(ids), nil
}
