-- schema --
CREATE TABLE IF NOT EXISTS mint_orders (
    order_id text   PRIMARY KEY,
    pass_id  text   NOT NULL,
    position bigint NOT NULL,
    status   text   NOT NULL,
    view     jsonb  NOT NULL,
    state    text   NOT NULL
);

-- load --
SELECT order_id, state FROM mint_orders WHERE order_id = ANY (%s);

-- upsert --
INSERT INTO mint_orders SELECT * FROM json_populate_recordset(NULL::mint_orders, %s::json)
ON CONFLICT (order_id) DO UPDATE SET
    status = excluded.status,
    view   = excluded.view,
    state  = excluded.state;

-- drop --
DELETE FROM mint_orders WHERE order_id = ANY (%s);

-- by_id --
SELECT pass_id, view FROM views.mint_orders WHERE order_id = %(id)s;
