-- schema --
CREATE TABLE IF NOT EXISTS passes (
    pass_id        text   PRIMARY KEY,
    changed        bigint NOT NULL,
    survivor       text,
    identities     text[] NOT NULL,
    absorbed       text[] NOT NULL,
    ended_sessions text[] NOT NULL,
    state          text   NOT NULL
);
CREATE INDEX IF NOT EXISTS passes_changed ON passes (changed)
    WHERE survivor IS NOT NULL OR ended_sessions <> '{}' OR absorbed <> '{}';

-- load --
SELECT pass_id, state FROM passes WHERE pass_id = ANY (%s);

-- upsert --
INSERT INTO passes SELECT * FROM json_populate_recordset(NULL::passes, %s::json)
ON CONFLICT (pass_id) DO UPDATE SET
    changed        = excluded.changed,
    survivor       = excluded.survivor,
    identities     = excluded.identities,
    absorbed       = excluded.absorbed,
    ended_sessions = excluded.ended_sessions,
    state          = excluded.state;

-- drop --
DELETE FROM passes WHERE pass_id = ANY (%s);

-- changed_since --
SELECT pass_id, changed, survivor, absorbed, ended_sessions
FROM views.passes
WHERE changed > %(position)s
  AND (survivor IS NOT NULL OR ended_sessions <> '{}' OR absorbed <> '{}')
ORDER BY changed;
