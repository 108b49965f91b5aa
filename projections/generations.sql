-- schema --
CREATE TABLE IF NOT EXISTS generations (
    generation_id text        PRIMARY KEY,
    pass_id       text        NOT NULL,
    parent_id     text,
    kind          text        NOT NULL,
    status        text        NOT NULL,
    liked         boolean     NOT NULL,
    position      bigint      NOT NULL,
    done_position bigint,
    created_at    timestamptz NOT NULL,
    output_url    text,
    task_id       text,
    style         text,
    brief         text        NOT NULL,
    due_at        timestamptz,
    deadline_at   timestamptz,
    felt_position bigint,
    state         text        NOT NULL
);
CREATE INDEX IF NOT EXISTS generations_archive ON generations (pass_id, done_position DESC)
    WHERE done_position IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_kind ON generations (pass_id, kind, done_position DESC)
    WHERE done_position IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_liked ON generations (pass_id, done_position DESC)
    WHERE done_position IS NOT NULL AND liked;
CREATE INDEX IF NOT EXISTS generations_created ON generations (pass_id, created_at)
    WHERE done_position IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_output ON generations (output_url)
    WHERE output_url IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_begun ON generations (pass_id, position DESC);
CREATE INDEX IF NOT EXISTS generations_task ON generations (task_id) WHERE task_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_due ON generations (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_deadline ON generations (deadline_at)
    WHERE deadline_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS generations_felt ON generations (pass_id, felt_position DESC)
    WHERE felt_position IS NOT NULL;

-- load --
SELECT generation_id, state FROM generations WHERE generation_id = ANY (%s);

-- upsert --
INSERT INTO generations SELECT * FROM json_populate_recordset(NULL::generations, %s::json)
ON CONFLICT (generation_id) DO UPDATE SET
    status        = excluded.status,
    liked         = excluded.liked,
    done_position = excluded.done_position,
    output_url    = excluded.output_url,
    task_id       = excluded.task_id,
    due_at        = excluded.due_at,
    deadline_at   = excluded.deadline_at,
    felt_position = excluded.felt_position,
    state         = excluded.state;

-- drop --
DELETE FROM generations WHERE generation_id = ANY (%s);
