-- due --
SELECT todo_id, kind, order_id, character_id, attempts, due_at
FROM views.todo
WHERE due_at <= %(at)s AND kind = ANY (%(kinds)s) AND todo_id <> ALL (%(skip)s)
  AND todo_id || ' ' || kind <> ALL (%(paused)s)
ORDER BY due_at
LIMIT %(limit)s;

-- take --
SELECT pg_try_advisory_lock(hashtextextended('todo ' || todo_id, 0))
FROM views.todo
WHERE todo_id = %(id)s AND due_at <= %(at)s;

-- let_go --
SELECT pg_advisory_unlock(hashtextextended('todo ' || %(id)s, 0));
