-- +goose Up
-- Of the refresh tokens of a sign-in only the newest is known, by its number; 0
-- means that it has none.
ALTER TABLE signin ADD COLUMN refresh_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin ADD COLUMN refresh_issued BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin ADD COLUMN refresh_expires BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin ADD COLUMN refresh_ends BIGINT NOT NULL DEFAULT 0;

-- Which clients were answered from a session.
CREATE TABLE session_client (
    session_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);

-- Which clients are yet to be told that a session has ended.
CREATE TABLE logout (
    session_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    created    BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    next       BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX logout_next ON logout (next);

-- Which client assertions were used.
CREATE TABLE assertion (
    client_id TEXT NOT NULL,
    id        TEXT NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (client_id, id)
);
CREATE INDEX assertion_expires ON assertion (expires);
