-- +goose Up
-- Sweeping used to look through all clients of sessions. Now they are deleted with their
-- session, so what is left of earlier sessions goes here, once.
DELETE FROM session_client WHERE NOT EXISTS (SELECT 1 FROM session WHERE session.id = session_client.session_id);

-- One row that the readiness check writes.
CREATE TABLE probe (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    at  BIGINT NOT NULL
);
