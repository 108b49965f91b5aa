-- schema --
-- What is folded leads on to what is told, so neither is of use without the other.
DO $$ BEGIN
    IF to_regclass('feed') IS NULL THEN
        DROP TABLE IF EXISTS feed_states;
    END IF;
END $$;
CREATE TABLE IF NOT EXISTS feed (
    position bigint      PRIMARY KEY,
    pass_id  text        NOT NULL,
    type     text        NOT NULL,
    time     timestamptz NOT NULL,
    data     jsonb       NOT NULL
);
CREATE INDEX IF NOT EXISTS feed_of_pass ON feed (pass_id, position);
CREATE INDEX IF NOT EXISTS feed_by_time ON feed (time);
CREATE TABLE IF NOT EXISTS feed_states (
    key      text   PRIMARY KEY,
    kind     text   NOT NULL,
    pass_id  text   NOT NULL,
    position bigint NOT NULL,
    shown    jsonb,
    state    text   NOT NULL
);
CREATE INDEX IF NOT EXISTS feed_states_of_pass ON feed_states (pass_id, position)
    WHERE shown IS NOT NULL;

-- load --
SELECT key, kind || ' ' || state FROM feed_states WHERE key = ANY (%s);

-- upsert --
INSERT INTO feed_states SELECT * FROM json_populate_recordset(NULL::feed_states, %s::json)
ON CONFLICT (key) DO UPDATE SET
    position = excluded.position,
    shown    = excluded.shown,
    state    = excluded.state;

-- drop --
DELETE FROM feed_states WHERE key = ANY (%s);

-- emit --
INSERT INTO feed SELECT * FROM json_populate_recordset(NULL::feed, %s::json)
ON CONFLICT (position) DO NOTHING;

-- prune --
DELETE FROM feed WHERE time < (SELECT max(time) FROM feed) - %s::interval;
