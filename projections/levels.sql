-- schema --
CREATE TABLE IF NOT EXISTS levels (
    pass_id    text        PRIMARY KEY,
    position   bigint      NOT NULL,
    changed_at timestamptz NOT NULL,
    level      int         NOT NULL,
    mint       text,
    wallet     text,
    away       text[]      NOT NULL,
    due_at     timestamptz,
    pin_due_at timestamptz,
    state      text        NOT NULL
);
CREATE INDEX IF NOT EXISTS levels_due ON levels (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS levels_pin_due ON levels (pin_due_at) WHERE pin_due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS levels_mint ON levels (mint) WHERE mint IS NOT NULL;

-- load --
SELECT pass_id, state FROM levels WHERE pass_id = ANY (%s);

-- upsert --
INSERT INTO levels SELECT * FROM json_populate_recordset(NULL::levels, %s::json)
ON CONFLICT (pass_id) DO UPDATE SET
    position   = excluded.position,
    changed_at = excluded.changed_at,
    level      = excluded.level,
    mint       = excluded.mint,
    wallet     = excluded.wallet,
    away       = excluded.away,
    due_at     = excluded.due_at,
    pin_due_at = excluded.pin_due_at,
    state      = excluded.state;

-- drop --
DELETE FROM levels WHERE pass_id = ANY (%s);

-- page --
SELECT pass_id, state FROM views.levels
WHERE pass_id > %(after)s AND (mint IS NOT NULL OR away <> '{}')
ORDER BY pass_id
LIMIT %(limit)s;
