-- +goose Up
-- Times are unix milliseconds. The same statements serve SQLite and PostgreSQL.
CREATE TABLE person (
    subject       TEXT PRIMARY KEY,
    username      TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    person        TEXT NOT NULL
);

CREATE TABLE session (
    id          TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL,
    subject     TEXT NOT NULL,
    acr         TEXT NOT NULL,
    amr         TEXT NOT NULL,
    auth_time   BIGINT NOT NULL,
    created     BIGINT NOT NULL,
    seen        BIGINT NOT NULL,
    expires     BIGINT NOT NULL,
    ends        BIGINT NOT NULL
);
CREATE INDEX session_expires ON session (expires);
CREATE INDEX session_subject ON session (subject);

CREATE TABLE signin (
    id           TEXT PRIMARY KEY,
    reference    TEXT NOT NULL,
    client_id    TEXT NOT NULL,
    session_id   TEXT NOT NULL,
    subject      TEXT NOT NULL,
    state        BIGINT NOT NULL,
    created      BIGINT NOT NULL,
    code_expires BIGINT NOT NULL,
    expires      BIGINT NOT NULL,
    granted      TEXT NOT NULL
);
CREATE INDEX signin_session ON signin (session_id);
CREATE INDEX signin_expires ON signin (expires);

CREATE TABLE signing_key (
    id        TEXT PRIMARY KEY,
    algorithm TEXT NOT NULL,
    state     TEXT NOT NULL,
    sealed    TEXT NOT NULL,
    created   BIGINT NOT NULL,
    changed   BIGINT NOT NULL
);
CREATE UNIQUE INDEX signing_key_next ON signing_key (algorithm) WHERE state = 'next';
CREATE UNIQUE INDEX signing_key_active ON signing_key (algorithm) WHERE state = 'active';
