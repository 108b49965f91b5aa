-- claim --
SELECT pg_try_advisory_lock(hashtextextended('rebuild ' || %(name)s, 0));

-- aim --
SELECT set_config('mega.projection', %(name)s, false), set_config('mega.shadow', %(shadow)s, false);

-- open --
DO $$ BEGIN
    EXECUTE format('CREATE SCHEMA IF NOT EXISTS %I', current_setting('mega.shadow'));
END $$;

-- discard --
DO $$ BEGIN
    EXECUTE format('DROP SCHEMA IF EXISTS %I CASCADE', current_setting('mega.shadow'));
END $$;

-- measure --
DO $$
DECLARE made regclass;
BEGIN
    FOR made IN SELECT oid FROM pg_class
        WHERE relnamespace = current_setting('mega.shadow')::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ANALYZE %s', made);
    END LOOP;
END $$;

-- hurry --
SET LOCAL lock_timeout = '1s';

-- register --
INSERT INTO views.projections (name, version) VALUES (%(name)s, %(version)s)
ON CONFLICT (name) DO NOTHING;

-- hold --
SELECT position FROM views.projections WHERE name = %(name)s FOR UPDATE;

-- swap --
DO $$
DECLARE
    shadow text := current_setting('mega.shadow');
    moved  text;
BEGIN
    FOR moved IN
        SELECT relname FROM pg_class
        WHERE relnamespace = shadow::regnamespace AND relkind = 'r'
          AND relname NOT IN ('projections', 'parked')
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS views.%I', moved);
        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA views', shadow, moved);
    END LOOP;
    EXECUTE format('UPDATE views.projections AS live SET version = new.version,
        position = new.position FROM %I.projections AS new WHERE live.name = new.name', shadow);
    DELETE FROM views.parked WHERE projection = current_setting('mega.projection');
    EXECUTE format('INSERT INTO views.parked (projection, position, stream, error, parked_at, keys)
        SELECT projection, position, stream, error, parked_at, keys FROM %I.parked', shadow);
    EXECUTE format('DROP SCHEMA %I CASCADE', shadow);
END $$;

-- mega_customers --
SELECT mega_rebuild_customers();

-- mega_admin --
SELECT mega_rebuild_admin();
