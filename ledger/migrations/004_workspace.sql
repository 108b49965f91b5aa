-- Schemas beside the ledger: read models and cursors, which may be dropped and rebuilt, and the
-- vault, which holds the wrapped keys of the secret fields and no facts.

CREATE SCHEMA IF NOT EXISTS views;
CREATE SCHEMA IF NOT EXISTS consumers;
CREATE SCHEMA IF NOT EXISTS vault;

CREATE TABLE IF NOT EXISTS views.projections (
    name     text   PRIMARY KEY,
    version  int    NOT NULL,
    position bigint NOT NULL DEFAULT 0
);

-- Events that a projection could not apply, and the later events of their streams, in order.
CREATE TABLE IF NOT EXISTS views.parked (
    projection text   NOT NULL,
    position   bigint NOT NULL,
    stream     text   NOT NULL,
    error      text,
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (projection, position)
);

CREATE TABLE IF NOT EXISTS consumers.cursors (
    name     text   PRIMARY KEY,
    position bigint NOT NULL
);

CREATE TABLE IF NOT EXISTS vault.keys (
    pass_id     text        PRIMARY KEY,
    wrapped_key bytea       NOT NULL,
    made_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The application's clock in the development world: how far ahead of the real one it is.
CREATE TABLE IF NOT EXISTS consumers.clock (
    one   boolean  PRIMARY KEY DEFAULT true CHECK (one),
    ahead interval NOT NULL DEFAULT '0'
);
INSERT INTO consumers.clock DEFAULT VALUES ON CONFLICT DO NOTHING;
