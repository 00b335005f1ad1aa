-- +goose Up
-- Which upstream a person comes from; '' is the people file. updated is when they last
-- authenticated there, exact to a day.
ALTER TABLE person ADD COLUMN upstream TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN updated BIGINT NOT NULL DEFAULT 0;
CREATE INDEX person_updated ON person (updated) WHERE upstream <> '';

ALTER TABLE session ADD COLUMN upstream TEXT NOT NULL DEFAULT '';
-- 1 if the upstream did not say when the person authenticated.
ALTER TABLE session ADD COLUMN auth_time_unknown BIGINT NOT NULL DEFAULT 0;

-- exchanged_by is the client that exchanged a token for the sign-in; '' if it came from a
-- browser.
ALTER TABLE signin ADD COLUMN upstream TEXT NOT NULL DEFAULT '';
ALTER TABLE signin ADD COLUMN exchanged_by TEXT NOT NULL DEFAULT '';

-- What an upstream knows of a session: its own session ends this one, and the reverse.
CREATE TABLE upstream_session (
    session_id    TEXT PRIMARY KEY,
    upstream      TEXT NOT NULL,
    subject_hash  TEXT NOT NULL,
    session_hash  TEXT NOT NULL,
    id_token      TEXT NOT NULL,
    refresh_token TEXT NOT NULL,
    refreshed     BIGINT NOT NULL
);
CREATE INDEX upstream_session_subject ON upstream_session (upstream, subject_hash);
CREATE INDEX upstream_session_session ON upstream_session (upstream, session_hash) WHERE session_hash <> '';
