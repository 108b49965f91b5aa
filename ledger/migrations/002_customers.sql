-- mega_customers: one row a pass, moved forward by the append itself and rebuilt from the ledger
-- by the same function. The check is the last guard: no balance goes below what is held.

CREATE TABLE IF NOT EXISTS mega_customers (
    mg_pass_id                    text        PRIMARY KEY,
    mg_credits                    bigint      NOT NULL DEFAULT 0,
    mg_credits_held               bigint      NOT NULL DEFAULT 0,
    mg_expires_at                 timestamptz,
    mg_last_active                timestamptz,
    mg_mma_preferences            jsonb,
    mg_mma_preferences_updated_at timestamptz,
    mg_aliases                    text[]      NOT NULL DEFAULT '{}',
    CONSTRAINT mega_credits_cover_what_is_held
        CHECK (mg_credits_held >= 0 AND mg_credits >= mg_credits_held)
);

-- Which events move a row of mega_customers: passes, and whatever names matcha or preferences.
CREATE OR REPLACE FUNCTION mega_moves_customer(topic text, event jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT topic LIKE 'pass\_%' OR topic LIKE 'identity\_%' OR (event->'data') ?|
        ARRAY['matcha_delta', 'matcha_held_delta', 'matcha_expires_at', 'last_active_at', 'mma_preferences']
$$;

-- Every such event as the change it makes.
CREATE OR REPLACE VIEW mega_customer_changes AS
SELECT mg_position, mg_pass_id, mg_recorded_at,
       coalesce(mg_delta, 0)                                           AS credits,
       coalesce((event->'data'->>'matcha_held_delta')::bigint, 0)      AS held,
       (event->'data'->>'matcha_expires_at')::timestamptz              AS expires_at,
       (event->'data'->>'last_active_at')::timestamptz                 AS last_active,
       event->'data'->'mma_preferences'                                AS preferences,
       coalesce(event->'data'->>'identity', event->'data'->>'absorbed') AS alias
FROM mega_generations
WHERE mg_pass_id IS NOT NULL AND mega_moves_customer(topic, event);

-- Folds the changes of positions first..last into one row a pass.
CREATE OR REPLACE FUNCTION mega_fold_customers(first bigint, last bigint) RETURNS SETOF mega_customers
LANGUAGE sql STABLE AS $$
    SELECT mg_pass_id, sum(credits)::bigint, sum(held)::bigint,
           (array_agg(expires_at ORDER BY mg_position DESC) FILTER (WHERE expires_at IS NOT NULL))[1],
           max(last_active),
           (array_agg(preferences ORDER BY mg_position DESC) FILTER (WHERE preferences IS NOT NULL))[1],
           max(mg_recorded_at) FILTER (WHERE preferences IS NOT NULL),
           coalesce(array_agg(alias ORDER BY mg_position) FILTER (WHERE alias IS NOT NULL), '{}')
    FROM mega_customer_changes
    WHERE mg_position BETWEEN first AND last
    GROUP BY mg_pass_id
$$;

CREATE OR REPLACE FUNCTION mega_move_customers(first bigint, last bigint) RETURNS void
LANGUAGE sql AS $$
    -- Not an upsert: that would hold the change itself, a hold of credits say, against the check.
    MERGE INTO mega_customers AS known
    USING mega_fold_customers(first, last) AS change ON change.mg_pass_id = known.mg_pass_id
    WHEN MATCHED THEN UPDATE SET
        mg_credits      = known.mg_credits + change.mg_credits,
        mg_credits_held = known.mg_credits_held + change.mg_credits_held,
        mg_expires_at   = coalesce(change.mg_expires_at, known.mg_expires_at),
        mg_last_active  = greatest(known.mg_last_active, change.mg_last_active),
        mg_mma_preferences = coalesce(change.mg_mma_preferences, known.mg_mma_preferences),
        mg_mma_preferences_updated_at =
            coalesce(change.mg_mma_preferences_updated_at, known.mg_mma_preferences_updated_at),
        mg_aliases      = known.mg_aliases || change.mg_aliases
    WHEN NOT MATCHED THEN INSERT VALUES (change.*)
$$;

-- Whether any append among positions first..last, whose last positions are `ends`, would leave a
-- pass with less than what is held. The check of the table sees only what a whole flush leaves.
CREATE OR REPLACE FUNCTION mega_overdrawn(first bigint, ends bigint[]) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM (
            SELECT coalesce(known.mg_credits, 0) + sum(c.credits) OVER so_far AS credits,
                   coalesce(known.mg_credits_held, 0) + sum(c.held) OVER so_far AS held,
                   width_bucket(c.mg_position - 1, ends) AS append,
                   lead(width_bucket(c.mg_position - 1, ends)) OVER so_far AS next_append
            FROM mega_customer_changes AS c LEFT JOIN mega_customers AS known USING (mg_pass_id)
            WHERE c.mg_position BETWEEN first AND ends[cardinality(ends)]
            WINDOW so_far AS (PARTITION BY mg_pass_id ORDER BY c.mg_position)
        ) AS balances
        WHERE next_append IS DISTINCT FROM append AND NOT (held >= 0 AND credits >= held))
$$;

-- Throws the rows away and folds the whole ledger again; equal to what the appends had made.
CREATE OR REPLACE FUNCTION mega_rebuild_customers() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7305791);
    DELETE FROM mega_customers;
    PERFORM mega_move_customers(1, (SELECT coalesce(max(mg_position), 0) FROM mega_generations));
    RETURN (SELECT count(*) FROM mega_customers);
END $$;
