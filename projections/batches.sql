-- schema --
CREATE TABLE IF NOT EXISTS batches (
    batch_id    text        PRIMARY KEY,
    pass_id     text        NOT NULL,
    wallet      text        NOT NULL,
    recipe      text        NOT NULL,
    position    bigint      NOT NULL,
    status      text        NOT NULL,
    entropy     text        NOT NULL,
    due_at      timestamptz,
    art_due_at  timestamptz,
    mint_due_at timestamptz,
    view        jsonb       NOT NULL,
    state       text        NOT NULL
);
CREATE INDEX IF NOT EXISTS batches_of_pass ON batches (pass_id, position);
CREATE INDEX IF NOT EXISTS batches_due ON batches (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS batches_art_due ON batches (art_due_at) WHERE art_due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS batches_mint_due ON batches (mint_due_at) WHERE mint_due_at IS NOT NULL;

-- load --
SELECT batch_id, state FROM batches WHERE batch_id = ANY (%s);

-- upsert --
INSERT INTO batches SELECT * FROM json_populate_recordset(NULL::batches, %s::json)
ON CONFLICT (batch_id) DO UPDATE SET
    status      = excluded.status,
    due_at      = excluded.due_at,
    art_due_at  = excluded.art_due_at,
    mint_due_at = excluded.mint_due_at,
    view        = excluded.view,
    state       = excluded.state;

-- drop --
DELETE FROM batches WHERE batch_id = ANY (%s);
