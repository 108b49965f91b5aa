-- schema --
CREATE TABLE IF NOT EXISTS recoveries (
    case_id   text        PRIMARY KEY,
    kind      text        NOT NULL,
    stream    text        NOT NULL,
    pass_id   text        NOT NULL,
    opened_at timestamptz NOT NULL,
    position  bigint      NOT NULL,
    status    text        NOT NULL,
    attempts  int         NOT NULL,
    next_try_at timestamptz,
    facts     jsonb       NOT NULL,
    state     text        NOT NULL
);

-- load --
SELECT case_id, state FROM recoveries WHERE case_id = ANY (%s);

-- upsert --
INSERT INTO recoveries SELECT * FROM json_populate_recordset(NULL::recoveries, %s::json)
ON CONFLICT (case_id) DO UPDATE SET
    kind        = excluded.kind,
    status      = excluded.status,
    opened_at   = excluded.opened_at,
    attempts    = excluded.attempts,
    next_try_at = excluded.next_try_at,
    facts       = excluded.facts,
    state       = excluded.state;

-- drop --
DELETE FROM recoveries WHERE case_id = ANY (%s);
