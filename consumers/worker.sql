-- due --
SELECT todo_id, kind, order_id, character_id, attempts, due_at
FROM (
    SELECT todo_id, kind, order_id, character_id, attempts, due_at FROM views.todo
    UNION ALL SELECT 'x402:' || order_id, 'x402', order_id, '', 0, due_at FROM views.x402_orders
    UNION ALL SELECT 'picture:' || order_id, 'picture', order_id, '', 0, picture_due_at FROM views.x402_orders
    UNION ALL SELECT 'batch:' || batch_id, 'batch', batch_id, '', 0, due_at FROM views.batches
    UNION ALL SELECT 'art:' || batch_id, 'art', batch_id, '', 0, art_due_at FROM views.batches
    UNION ALL SELECT 'mint:' || batch_id, 'mint', batch_id, '', 0, mint_due_at FROM views.batches
    UNION ALL SELECT 'level:' || pass_id, 'level', pass_id, '', 0, due_at FROM views.levels
    UNION ALL SELECT 'pin:' || pass_id, 'pin', pass_id, '', 0, pin_due_at FROM views.levels
    UNION ALL SELECT 'matcha:' || pass_id, 'matcha', pass_id, '', 0, due_at FROM views.matcha
    UNION ALL SELECT 'mma:' || generation_id, 'mma', generation_id, '', 0, due_at FROM views.generations
    UNION ALL SELECT 'mma_end:' || generation_id, 'mma_end', generation_id, '', 0, deadline_at FROM views.generations
    UNION ALL SELECT 'shop:' || shop_order_id, 'shop', shop_order_id, '', 0, due_at
    FROM views.shop_orders
    UNION ALL SELECT 'tag:' || shop_order_id, 'tag', shop_order_id, '', 0, tag_due_at
    FROM views.shop_orders
) AS promised
WHERE due_at <= %(at)s AND kind = ANY (%(kinds)s) AND todo_id <> ALL (%(skip)s)
  AND NOT EXISTS (
      SELECT FROM unnest(%(paused)s::text[], %(seen)s::timestamptz[]) AS p (promise, seen)
      WHERE p.promise = todo_id || ' ' || kind AND p.seen >= due_at)
ORDER BY due_at
LIMIT %(limit)s;

-- take --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || todo_id, 0))
FROM views.todo WHERE todo_id = %(id)s AND due_at <= %(at)s;

-- take_x402 --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.x402_orders WHERE order_id = %(order)s AND due_at <= %(at)s;

-- take_picture --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.x402_orders WHERE order_id = %(order)s AND picture_due_at <= %(at)s;

-- take_batch --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.batches WHERE batch_id = %(order)s AND due_at <= %(at)s;

-- take_art --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.batches WHERE batch_id = %(order)s AND art_due_at <= %(at)s;

-- take_mint --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.batches WHERE batch_id = %(order)s AND mint_due_at <= %(at)s;

-- take_level --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.levels WHERE pass_id = %(order)s AND due_at <= %(at)s;

-- take_pin --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.levels WHERE pass_id = %(order)s AND pin_due_at <= %(at)s;

-- take_matcha --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.matcha WHERE pass_id = %(order)s AND due_at <= %(at)s;

-- take_mma --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.generations WHERE generation_id = %(order)s AND due_at <= %(at)s;

-- take_mma_end --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.generations WHERE generation_id = %(order)s AND deadline_at <= %(at)s;

-- take_shop --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.shop_orders WHERE shop_order_id = %(order)s AND due_at <= %(at)s;

-- take_tag --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || %(id)s, 0))
FROM views.shop_orders WHERE shop_order_id = %(order)s AND tag_due_at <= %(at)s;

-- let_go --
SELECT pg_advisory_unlock(hashtextextended('todo ' || %(id)s, 0));
