-- The application's role reads everything and writes the ledger through mega_append alone.
-- The role's name is the setting `mega.app_role` of the session that migrates.

DO $$
DECLARE app text := current_setting('mega.app_role');
BEGIN
    EXECUTE format('REVOKE ALL ON FUNCTION mega_append, mega_rebuild_customers, mega_move_customers FROM PUBLIC');
    EXECUTE format('GRANT USAGE ON SCHEMA public TO %I', app);
    EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA public TO %I', app);
    EXECUTE format('GRANT EXECUTE ON FUNCTION mega_append, mega_rebuild_customers TO %I', app);
    EXECUTE format('GRANT ALL ON SCHEMA views, consumers, vault TO %I', app);
    EXECUTE format('GRANT ALL ON ALL TABLES IN SCHEMA views, consumers, vault TO %I', app);
    EXECUTE format('GRANT CREATE ON DATABASE %I TO %I', current_database(), app);
END $$;
