-- schema --
CREATE TABLE IF NOT EXISTS matcha (
    pass_id  text        PRIMARY KEY,
    position bigint      NOT NULL,
    balance  bigint      NOT NULL,
    held     bigint      NOT NULL,
    owed     bigint      NOT NULL,
    due_at   timestamptz,
    state    text        NOT NULL
);
CREATE INDEX IF NOT EXISTS matcha_due ON matcha (due_at) WHERE due_at IS NOT NULL;

-- load --
SELECT pass_id, state FROM matcha WHERE pass_id = ANY (%s);

-- upsert --
INSERT INTO matcha SELECT * FROM json_populate_recordset(NULL::matcha, %s::json)
ON CONFLICT (pass_id) DO UPDATE SET
    position = excluded.position,
    balance  = excluded.balance,
    held     = excluded.held,
    owed     = excluded.owed,
    due_at   = excluded.due_at,
    state    = excluded.state;

-- drop --
DELETE FROM matcha WHERE pass_id = ANY (%s);
