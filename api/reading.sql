-- characters --
SELECT character_id, view::text FROM views.characters WHERE character_id = ANY (%s);

-- mint_orders --
SELECT order_id, view::text FROM views.mint_orders WHERE order_id = ANY (%s);

-- characters_of --
SELECT position, view::text FROM views.characters
WHERE pass_id = ANY (%(names)s) AND position > %(after)s
ORDER BY position
LIMIT %(limit)s;

-- batches --
SELECT batch_id, view::text FROM views.batches WHERE batch_id = ANY (%s);

-- batches_of --
SELECT view FROM views.batches
WHERE pass_id = ANY (%(names)s) AND wallet = %(wallet)s AND recipe = 'pfp_batch'
ORDER BY status IN ('prepared', 'confirming', 'paid', 'minting') DESC, position DESC
LIMIT %(limit)s;

-- last_single --
SELECT entropy FROM (
    SELECT entropy, status FROM views.batches
    WHERE pass_id = ANY (%(names)s) AND recipe = 'pfp_single' AND %(wallet)s IN ('', wallet)
    ORDER BY position DESC
    LIMIT 1) AS newest
WHERE status IN ('expired', 'failed');

-- climbs --
SELECT pass_id, state FROM views.levels WHERE pass_id = ANY (%(names)s);

-- levels_config --
SELECT mg_value FROM mega_admin
WHERE mg_record_type = 'app_config' AND mg_key = 'nft.levels'
ORDER BY mg_version DESC
LIMIT 1;

-- upgrade_owner --
SELECT pass_id FROM views.upgrades WHERE upgrade_id = %(upgrade_id)s;

-- upgrade --
SELECT view::text FROM views.upgrades WHERE upgrade_id = %(upgrade_id)s;

-- positions --
SELECT name, position FROM views.projections;

-- standing --
SELECT NULL AS name, coalesce(max(mg_position), 0) AS position FROM mega_generations
UNION ALL
SELECT name, position FROM views.projections;

-- topics_behind --
SELECT projection, sum(ends - next)::bigint FROM views.offsets GROUP BY projection;

-- counts --
WITH late AS (
    SELECT clock_timestamp() + ahead - due_at AS by_
    FROM (SELECT due_at FROM views.todo UNION ALL SELECT due_at FROM views.x402_orders
          UNION ALL SELECT picture_due_at FROM views.x402_orders
          UNION ALL SELECT due_at FROM views.batches
          UNION ALL SELECT art_due_at FROM views.batches
          UNION ALL SELECT mint_due_at FROM views.batches
          UNION ALL SELECT due_at FROM views.levels
          UNION ALL SELECT pin_due_at FROM views.levels
          UNION ALL SELECT deadline_at FROM views.generations
          UNION ALL SELECT due_at FROM views.matcha) AS promised (due_at),
         consumers.clock
    WHERE due_at <= clock_timestamp() + ahead
)
SELECT 'parked' AS name, (SELECT count(*) FROM views.parked)::float8
    + (SELECT count(*) FROM consumers.unpublished) + (SELECT count(*) FROM consumers.parked) AS value
UNION ALL
SELECT 'due', count(*)::float8 FROM late
UNION ALL
SELECT 'oldest', coalesce(max(extract(epoch FROM by_)), 0)::float8 FROM late
UNION ALL
SELECT 'levels_stale', coalesce(extract(epoch FROM max(clock_timestamp() + ahead - mg_recorded_at)), 0)::float8
FROM mega_generations, consumers.clock
WHERE mg_position = (SELECT position + 1 FROM views.projections WHERE name = 'levels');

-- upgrades_by_state --
SELECT state_name, count(*) FROM views.upgrades GROUP BY state_name;

-- orders_by_status --
SELECT status, count(*) FROM views.mint_orders GROUP BY status;

-- batches_by_status --
SELECT recipe, status, count(*) FROM views.batches GROUP BY recipe, status;

-- x402_measures --
SELECT success_rate::float8, settlement_rate::float8, seconds_to_mint::float8
FROM mega_x402_measures;

-- x402_errors --
SELECT error_code, occurrences FROM mega_x402_errors;

-- x402_orders_by_status --
SELECT payment_type, coalesce(status, 'none'), count(*)
FROM views.x402_orders
GROUP BY payment_type, status;

-- generation_of_output --
SELECT generation_id FROM views.generations
WHERE output_url = %(url)s AND pass_id = ANY (%(names)s)
ORDER BY done_position DESC
LIMIT 1;

-- last_active --
SELECT max(last_active) FROM mega_customer_changes
WHERE mg_pass_id = ANY (%(names)s)
    AND (%(position)s::bigint IS NULL OR mg_position <= %(position)s)
    AND (%(time)s::timestamptz IS NULL OR mg_recorded_at <= %(time)s);

-- generation_of_task --
SELECT generation_id FROM views.generations WHERE task_id = %(task_id)s;
