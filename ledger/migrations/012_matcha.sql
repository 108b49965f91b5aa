-- Matcha: an event that says when the last of it expires may say that there is none left (null),
-- and that clears mg_expires_at. While changes are folded, -infinity stands for it; what is not
-- named at all stays as it was.

CREATE OR REPLACE VIEW mega_customer_changes AS
SELECT mg_position, mg_pass_id, mg_recorded_at,
       coalesce(mg_delta, 0)                                           AS credits,
       coalesce((event->'data'->>'matcha_held_delta')::bigint, 0)      AS held,
       CASE WHEN event->'data' ? 'matcha_expires_at'
            THEN coalesce((event->'data'->>'matcha_expires_at')::timestamptz, '-infinity')
       END                                                             AS expires_at,
       (event->'data'->>'last_active_at')::timestamptz                 AS last_active,
       event->'data'->'mma_preferences'                                AS preferences,
       coalesce(event->'data'->>'identity', event->'data'->>'absorbed') AS alias
FROM mega_generations
WHERE mg_pass_id IS NOT NULL AND mega_moves_customer(topic, event);

CREATE OR REPLACE FUNCTION mega_move_customers(first bigint, last bigint) RETURNS void
LANGUAGE sql AS $$
    -- Not an upsert: that would hold the change itself, a hold of credits say, against the check.
    MERGE INTO mega_customers AS known
    USING mega_fold_customers(first, last) AS change ON change.mg_pass_id = known.mg_pass_id
    WHEN MATCHED THEN UPDATE SET
        mg_credits      = known.mg_credits + change.mg_credits,
        mg_credits_held = known.mg_credits_held + change.mg_credits_held,
        mg_expires_at   = nullif(coalesce(change.mg_expires_at, known.mg_expires_at), '-infinity'),
        mg_last_active  = greatest(known.mg_last_active, change.mg_last_active),
        mg_mma_preferences = coalesce(change.mg_mma_preferences, known.mg_mma_preferences),
        mg_mma_preferences_updated_at =
            coalesce(change.mg_mma_preferences_updated_at, known.mg_mma_preferences_updated_at),
        mg_aliases      = known.mg_aliases || change.mg_aliases
    WHEN NOT MATCHED THEN INSERT VALUES (
        change.mg_pass_id, change.mg_credits, change.mg_credits_held,
        nullif(change.mg_expires_at, '-infinity'), change.mg_last_active,
        change.mg_mma_preferences, change.mg_mma_preferences_updated_at, change.mg_aliases)
$$;
