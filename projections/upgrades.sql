-- schema --
CREATE TABLE IF NOT EXISTS upgrades (
    upgrade_id text   PRIMARY KEY,
    pass_id    text   NOT NULL,
    position   bigint NOT NULL,
    state_name text   NOT NULL,
    view       jsonb  NOT NULL,
    state      text   NOT NULL
);
CREATE INDEX IF NOT EXISTS upgrades_of_pass ON upgrades (pass_id, position);
CREATE INDEX IF NOT EXISTS upgrades_of_mint ON upgrades ((view->>'mint'));

-- load --
SELECT upgrade_id, state FROM upgrades WHERE upgrade_id = ANY (%s);

-- upsert --
INSERT INTO upgrades SELECT * FROM json_populate_recordset(NULL::upgrades, %s::json)
ON CONFLICT (upgrade_id) DO UPDATE SET
    state_name = excluded.state_name,
    view       = excluded.view,
    state      = excluded.state;

-- drop --
DELETE FROM upgrades WHERE upgrade_id = ANY (%s);

-- of_mints --
SELECT view->>'mint', pass_id, upgrade_id FROM views.upgrades WHERE view->>'mint' = ANY (%(mints)s);
