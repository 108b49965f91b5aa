-- What waits between the ledger and Kafka. A row with an error is the one that failed; those behind
-- it, of the same stream or key, have none and follow it once it is through.

-- Events that the relay could not publish, by their place in the ledger.
CREATE TABLE IF NOT EXISTS consumers.unpublished (
    position  bigint      PRIMARY KEY,
    stream    text        NOT NULL,
    error     text,
    replay    boolean     NOT NULL DEFAULT false,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS unpublished_stream ON consumers.unpublished (stream, position);

-- Messages that a group of readers could not take in, byte for byte: they may be anything.
CREATE TABLE IF NOT EXISTS consumers.parked (
    reader      text        NOT NULL,
    topic       text        NOT NULL,
    part        int         NOT NULL,
    place       bigint      NOT NULL,
    key         bytea       NOT NULL,
    headers     bytea       NOT NULL,
    value       bytea,
    error       text,
    replay      boolean     NOT NULL DEFAULT false,
    parked_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (reader, topic, part, place)
);
CREATE INDEX IF NOT EXISTS parked_key ON consumers.parked (reader, topic, key, part, place);

DO $$
BEGIN
    EXECUTE format('GRANT ALL ON consumers.unpublished, consumers.parked TO %I',
                   current_setting('mega.app_role'));
END $$;
