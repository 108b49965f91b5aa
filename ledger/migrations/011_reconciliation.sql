-- How each comparison of the ledger with the world stands: the place in the other's history to go
-- on from (empty: its beginning), and what its last round came to. A lost row costs another look.
CREATE TABLE IF NOT EXISTS consumers.reconciliations (
    name        text        PRIMARY KEY,
    mark        text        NOT NULL DEFAULT '',
    finished_at timestamptz,
    checked     int         NOT NULL DEFAULT 0,
    corrected   int         NOT NULL DEFAULT 0,
    reviews     int         NOT NULL DEFAULT 0,
    failure     text
);

DO $$
BEGIN
    EXECUTE format('GRANT ALL ON consumers.reconciliations TO %I', current_setting('mega.app_role'));
END $$;
