-- mega_admin follows the ledger in the append's own transaction: each event of a stream whose kind
-- belongs there is one row of it. What is inserted by hand has no event and is lost by a rebuild.

CREATE OR REPLACE FUNCTION mega_is_admin(stream text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT split_part(stream, ':', 1) IN ('app_config', 'admin_audit', 'admin_session')
$$;

-- Every such event as the row it makes. `mg_value` names the event, and holds what it says.
CREATE OR REPLACE VIEW mega_admin_rows AS
SELECT mg_id, mg_record_type, mg_pass_id,
       coalesce(event->'data'->>'key',
                concat_ws(' ', event->'data'->>'method', event->'data'->>'path')) AS mg_key,
       (event->'data'->>'version')::int AS mg_version,
       CASE WHEN mg_record_type = 'app_config' THEN event->'data'->'value'
            ELSE event->'data' || jsonb_build_object(
                'event_id', originator_id || '/' || originator_version, 'position', mg_position)
       END AS mg_value,
       mg_recorded_at AS mg_created_at,
       mg_position
FROM mega_generations
WHERE mega_is_admin(originator_id);

CREATE OR REPLACE FUNCTION mega_write_admin() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO mega_admin
    SELECT mg_id, mg_record_type, mg_pass_id, mg_key, mg_version, mg_value, mg_created_at
    FROM mega_admin_rows WHERE mg_position = NEW.mg_position;
    RETURN NULL;
END $$;

-- The condition is judged before the function is called, so other events pay nothing for it.
CREATE OR REPLACE TRIGGER admin_row AFTER INSERT ON mega_generations
    FOR EACH ROW WHEN (mega_is_admin(NEW.originator_id)) EXECUTE FUNCTION mega_write_admin();

-- Throws the rows away and makes them again from the ledger. Only here is the guard lifted, under
-- a lock that nobody can insert through.
CREATE OR REPLACE FUNCTION mega_rebuild_admin() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7305791);
    ALTER TABLE mega_admin DISABLE TRIGGER append_only;
    DELETE FROM mega_admin;
    ALTER TABLE mega_admin ENABLE TRIGGER append_only;
    INSERT INTO mega_admin
    SELECT mg_id, mg_record_type, mg_pass_id, mg_key, mg_version, mg_value, mg_created_at
    FROM mega_admin_rows ORDER BY mg_position;
    RETURN (SELECT count(*) FROM mega_admin);
END $$;

DO $$
DECLARE app text := current_setting('mega.app_role');
BEGIN
    REVOKE ALL ON FUNCTION mega_rebuild_admin, mega_write_admin FROM PUBLIC;
    EXECUTE format('GRANT SELECT ON mega_admin_rows TO %I', app);
    EXECUTE format('GRANT EXECUTE ON FUNCTION mega_rebuild_admin TO %I', app);
END $$;
