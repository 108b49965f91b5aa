-- schema --
CREATE TABLE IF NOT EXISTS x402_orders (
    order_id       text        PRIMARY KEY,
    fid            bigint      NOT NULL,
    payment_type   text        NOT NULL,
    number         int         NOT NULL,
    pass_id        text        NOT NULL,
    position       bigint      NOT NULL,
    status         text,
    due_at         timestamptz,
    picture_due_at timestamptz,
    state          text        NOT NULL
);
CREATE INDEX IF NOT EXISTS x402_orders_of_fid ON x402_orders (fid, payment_type, number);
CREATE INDEX IF NOT EXISTS x402_orders_due ON x402_orders (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS x402_orders_picture_due ON x402_orders (picture_due_at)
    WHERE picture_due_at IS NOT NULL;

-- load --
SELECT order_id, state FROM x402_orders WHERE order_id = ANY (%s);

-- upsert --
INSERT INTO x402_orders SELECT * FROM json_populate_recordset(NULL::x402_orders, %s::json)
ON CONFLICT (order_id) DO UPDATE SET
    status         = excluded.status,
    due_at         = excluded.due_at,
    picture_due_at = excluded.picture_due_at,
    state          = excluded.state;

-- drop --
DELETE FROM x402_orders WHERE order_id = ANY (%s);
