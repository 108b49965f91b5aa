-- schema --
CREATE TABLE IF NOT EXISTS shop_orders (
    shop_order_id text        PRIMARY KEY,
    pass_id       text,
    position      bigint      NOT NULL,
    status        text        NOT NULL,
    amount        bigint      NOT NULL,
    taken_back    bigint      NOT NULL,
    due_at        timestamptz,
    tag_due_at    timestamptz,
    state         text        NOT NULL
);
CREATE INDEX IF NOT EXISTS shop_orders_due ON shop_orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS shop_orders_tag_due ON shop_orders (tag_due_at)
    WHERE tag_due_at IS NOT NULL;

-- load --
SELECT shop_order_id, state FROM shop_orders WHERE shop_order_id = ANY (%s);

-- upsert --
INSERT INTO shop_orders SELECT * FROM json_populate_recordset(NULL::shop_orders, %s::json)
ON CONFLICT (shop_order_id) DO UPDATE SET
    pass_id    = excluded.pass_id,
    status     = excluded.status,
    amount     = excluded.amount,
    taken_back = excluded.taken_back,
    due_at     = excluded.due_at,
    tag_due_at = excluded.tag_due_at,
    state      = excluded.state;

-- drop --
DELETE FROM shop_orders WHERE shop_order_id = ANY (%s);
