-- schema --
CREATE TABLE IF NOT EXISTS todo (
    todo_id      text        PRIMARY KEY,
    kind         text        NOT NULL,
    order_id     text        NOT NULL,
    character_id text        NOT NULL,
    pass_id      text        NOT NULL,
    opened_at    timestamptz NOT NULL,
    due_at       timestamptz,
    attempts     int         NOT NULL,
    state        text        NOT NULL
);
CREATE INDEX IF NOT EXISTS todo_due ON todo (due_at) WHERE due_at IS NOT NULL;

-- load --
SELECT todo_id, state FROM todo WHERE todo_id = ANY (%s);

-- upsert --
INSERT INTO todo SELECT * FROM json_populate_recordset(NULL::todo, %s::json)
ON CONFLICT (todo_id) DO UPDATE SET
    kind         = excluded.kind,
    order_id     = excluded.order_id,
    character_id = excluded.character_id,
    pass_id      = excluded.pass_id,
    opened_at    = excluded.opened_at,
    due_at       = excluded.due_at,
    attempts     = excluded.attempts,
    state        = excluded.state;

-- drop --
DELETE FROM todo WHERE todo_id = ANY (%s);
