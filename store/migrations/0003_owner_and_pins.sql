-- +goose Up
-- Whose database this is, one row: what belongs to a real provider must not be
-- opened by the development mode, nor the other way round.
CREATE TABLE owner (
    one  BIGINT PRIMARY KEY CHECK (one = 1),
    name TEXT NOT NULL
);

-- Keys that some client pins, as of the last start of a server.
CREATE TABLE key_pin (
    id TEXT PRIMARY KEY
);
