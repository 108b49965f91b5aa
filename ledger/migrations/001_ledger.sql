-- The ledger: one row per event, append-only, dense positions, hash chain.
-- `event` is {"data": …, "metadata": …} and the one source; the mg_* columns are generated from it.

CREATE TABLE IF NOT EXISTS mega_generations (
    mg_position        bigint      PRIMARY KEY,
    originator_id      text        NOT NULL,
    originator_version bigint      NOT NULL CHECK (originator_version > 0),
    topic              text        NOT NULL,
    event              jsonb       NOT NULL,
    mg_recorded_at     timestamptz NOT NULL,
    mg_hash            bytea       NOT NULL,
    UNIQUE (originator_id, originator_version),
    -- A line feed parts the fields that are hashed, so none may hold one.
    CONSTRAINT mega_names_are_one_line
        CHECK (strpos(originator_id, E'\n') = 0 AND strpos(topic, E'\n') = 0)
);

ALTER TABLE mega_generations
    ADD COLUMN IF NOT EXISTS mg_id            text   GENERATED ALWAYS AS (coalesce(event->'data'->>'mg_id', originator_id)) STORED,
    ADD COLUMN IF NOT EXISTS mg_record_type   text   GENERATED ALWAYS AS (split_part(coalesce(event->'data'->>'mg_id', originator_id), ':', 1)) STORED,
    ADD COLUMN IF NOT EXISTS mg_pass_id       text   GENERATED ALWAYS AS (coalesce(event->'data'->>'pass_id', event->'metadata'->>'pass_id')) STORED,
    ADD COLUMN IF NOT EXISTS mg_parent_id     text   GENERATED ALWAYS AS (event->'data'->>'parent_id') STORED,
    ADD COLUMN IF NOT EXISTS mg_generation_id text   GENERATED ALWAYS AS (event->'data'->>'generation_id') STORED,
    ADD COLUMN IF NOT EXISTS mg_step_no       int    GENERATED ALWAYS AS ((event->'data'->>'step_no')::int) STORED,
    ADD COLUMN IF NOT EXISTS mg_step_type     text   GENERATED ALWAYS AS (event->'data'->>'step_type') STORED,
    ADD COLUMN IF NOT EXISTS mg_delta         bigint GENERATED ALWAYS AS ((event->'data'->>'matcha_delta')::bigint) STORED,
    ADD COLUMN IF NOT EXISTS mg_payload       jsonb  GENERATED ALWAYS AS (event->'data'->'payload') STORED,
    ADD COLUMN IF NOT EXISTS mg_meta          jsonb  GENERATED ALWAYS AS (event->'data'->'meta') STORED,
    ADD COLUMN IF NOT EXISTS mg_provider      text   GENERATED ALWAYS AS (event->'data'->>'provider') STORED,
    ADD COLUMN IF NOT EXISTS mg_model         text   GENERATED ALWAYS AS (event->'data'->>'model') STORED,
    ADD COLUMN IF NOT EXISTS mg_prompt        text   GENERATED ALWAYS AS (event->'data'->>'prompt') STORED,
    ADD COLUMN IF NOT EXISTS mg_output_url    text   GENERATED ALWAYS AS (event->'data'->>'output_url') STORED,
    ADD COLUMN IF NOT EXISTS mg_mma_mode      text   GENERATED ALWAYS AS (event->'data'->>'mma_mode') STORED,
    ADD COLUMN IF NOT EXISTS mg_mma_status    text   GENERATED ALWAYS AS (event->'data'->>'mma_status') STORED,
    ADD COLUMN IF NOT EXISTS mg_mma_vars      jsonb  GENERATED ALWAYS AS (event->'data'->'mma_vars') STORED,
    ADD COLUMN IF NOT EXISTS mg_title         text   GENERATED ALWAYS AS (event->'data'->>'title') STORED;

-- Records of one event are unique by their id; the others have one row per event.
CREATE UNIQUE INDEX IF NOT EXISTS mega_generations_record ON mega_generations (mg_id)
    WHERE mg_record_type IN ('credit_transaction', 'mma_step', 'mma_event', 'feedback');
CREATE INDEX IF NOT EXISTS mega_generations_pass ON mega_generations (mg_pass_id, mg_position)
    WHERE mg_pass_id IS NOT NULL;

CREATE OR REPLACE VIEW mega_records AS
SELECT DISTINCT ON (mg_id) *
FROM mega_generations
ORDER BY mg_id, mg_position DESC;

CREATE TABLE IF NOT EXISTS mega_admin (
    mg_id          text        PRIMARY KEY,
    mg_record_type text        NOT NULL CHECK (mg_record_type IN ('app_config', 'admin_audit', 'admin_session')),
    mg_pass_id     text,
    mg_key         text,
    mg_version     int,
    mg_value       jsonb,
    mg_created_at  timestamptz NOT NULL,
    UNIQUE (mg_key, mg_version),
    CHECK (mg_record_type = split_part(mg_id, ':', 1))
);

CREATE OR REPLACE FUNCTION mega_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON mega_generations
    FOR EACH ROW EXECUTE FUNCTION mega_refuse_change();
CREATE OR REPLACE TRIGGER append_only_whole BEFORE TRUNCATE ON mega_generations
    FOR EACH STATEMENT EXECUTE FUNCTION mega_refuse_change();
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON mega_admin
    FOR EACH ROW EXECUTE FUNCTION mega_refuse_change();
CREATE OR REPLACE TRIGGER append_only_whole BEFORE TRUNCATE ON mega_admin
    FOR EACH STATEMENT EXECUTE FUNCTION mega_refuse_change();
