-- schema --
CREATE TABLE trades (
    platform   text COLLATE "C" NOT NULL,
    trade_id   text COLLATE "C" NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    volume_usd numeric(30, 10)  NOT NULL,
    traded_at  timestamptz      NOT NULL,
    PRIMARY KEY (platform, trade_id)
);
CREATE TABLE trading_volume (
    user_id    text COLLATE "C" PRIMARY KEY,
    volume_usd numeric          NOT NULL,
    trades     bigint           NOT NULL
) WITH (fillfactor = 70);

-- discard --
DROP TABLE IF EXISTS trades, trading_volume;

-- take --
WITH added AS (
    INSERT INTO trades
    SELECT * FROM json_populate_recordset(NULL::trades, %(page)s::json)
    ON CONFLICT DO NOTHING
    RETURNING user_id, volume_usd
), summed AS (
    INSERT INTO trading_volume AS known
    SELECT user_id, sum(volume_usd), count(*) FROM added GROUP BY user_id
    ON CONFLICT (user_id) DO UPDATE SET
        volume_usd = known.volume_usd + excluded.volume_usd,
        trades     = known.trades + excluded.trades
)
SELECT count(*) FROM added;

-- contradicted --
SELECT said.ordinality
FROM json_populate_recordset(NULL::trades, %(page)s::json) WITH ORDINALITY AS said
JOIN trades AS known USING (platform, trade_id)
WHERE (said.user_id, said.volume_usd, said.traded_at)
   <> (known.user_id, known.volume_usd, known.traded_at);

-- volume_of --
SELECT coalesce(sum(volume_usd), 0) FROM views.trading_volume WHERE user_id = ANY (%(names)s);
