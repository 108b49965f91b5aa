-- schema --
CREATE TABLE IF NOT EXISTS characters (
    character_id      text   PRIMARY KEY,
    pass_id           text   NOT NULL,
    position          bigint NOT NULL,
    mint_ui_state     text   NOT NULL,
    mint_order_status text,
    image_status      text   NOT NULL,
    view              jsonb  NOT NULL,
    state             text   NOT NULL
);
CREATE INDEX IF NOT EXISTS characters_of_pass ON characters (pass_id, position);

-- load --
SELECT character_id, state FROM characters WHERE character_id = ANY (%s);

-- upsert --
INSERT INTO characters SELECT * FROM json_populate_recordset(NULL::characters, %s::json)
ON CONFLICT (character_id) DO UPDATE SET
    mint_ui_state     = excluded.mint_ui_state,
    mint_order_status = excluded.mint_order_status,
    image_status      = excluded.image_status,
    view              = excluded.view,
    state             = excluded.state;

-- drop --
DELETE FROM characters WHERE character_id = ANY (%s);

-- by_id --
SELECT pass_id, view FROM views.characters WHERE character_id = %(id)s;

-- of_pass --
SELECT position, view FROM views.characters
WHERE pass_id = ANY (%(names)s) AND position > %(after)s
ORDER BY position
LIMIT %(limit)s;
