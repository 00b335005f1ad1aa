-- +goose Up
-- The newest refresh token of a sign-in; number 0 is none.
ALTER TABLE signin ADD COLUMN refresh_number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin ADD COLUMN refresh_issued BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin ADD COLUMN refresh_expires BIGINT NOT NULL DEFAULT 0;
ALTER TABLE signin ADD COLUMN refresh_ends BIGINT NOT NULL DEFAULT 0;

-- Which clients were answered from a session and want to hear of its end.
CREATE TABLE session_client (
    session_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);

-- The clients that are yet to be told of the end of a session.
CREATE TABLE logout (
    session_id TEXT NOT NULL,
    client_id  TEXT NOT NULL,
    subject    TEXT NOT NULL,
    created    BIGINT NOT NULL,
    tries      BIGINT NOT NULL,
    due        BIGINT NOT NULL,
    PRIMARY KEY (session_id, client_id)
);
CREATE INDEX logout_due ON logout (due);

-- Client assertions that were used.
CREATE TABLE assertion (
    client_id TEXT NOT NULL,
    id        TEXT NOT NULL,
    expires   BIGINT NOT NULL,
    PRIMARY KEY (client_id, id)
);
CREATE INDEX assertion_expires ON assertion (expires);
