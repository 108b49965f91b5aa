-- workspace --
SELECT pg_advisory_xact_lock(hashtextextended('projections set up', 0));

CREATE SCHEMA IF NOT EXISTS views;

CREATE TABLE IF NOT EXISTS projections (
    name     text   PRIMARY KEY,
    version  int    NOT NULL,
    position bigint NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS parked (
    projection text        NOT NULL,
    position   bigint      NOT NULL,
    stream     text        NOT NULL,
    error      text,
    parked_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    keys       text[]      NOT NULL DEFAULT '{}',
    PRIMARY KEY (projection, position)
);

-- register --
INSERT INTO projections (name, version) VALUES (%(name)s, %(version)s)
ON CONFLICT (name) DO NOTHING;

-- standing --
SELECT version, position FROM projections WHERE name = %(name)s;

-- exists --
SELECT to_regclass(%(name)s) IS NOT NULL;

-- restart --
WITH forgotten AS (DELETE FROM parked WHERE projection = %(name)s)
UPDATE projections SET position = 0 WHERE name = %(name)s;
