-- requests --
-- The ledger itself, asked only about a mint that the views do not know: a scan, and a rare one.
SELECT event->'data'->>'mint', event->'data'->>'pass_id', event->'data'->>'upgrade_id'
FROM mega_generations
WHERE topic = 'upgrade_requested.v1' AND event->'data'->>'mint' = ANY (%(mints)s);

-- mark --
SELECT mark FROM consumers.reconciliations WHERE name = %(name)s;

-- move --
INSERT INTO consumers.reconciliations (name, mark) VALUES (%(name)s, %(mark)s)
ON CONFLICT (name) DO UPDATE SET mark = excluded.mark;
