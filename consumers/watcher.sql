-- lead --
SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0));

-- cursor --
-- The last block read; before the first look, the one at which the oldest order began.
SELECT coalesce(
    (SELECT position FROM consumers.cursors WHERE name = %(name)s),
    (SELECT min((event->'data'->>%(field)s)::bigint)
     FROM mega_generations WHERE topic = %(topic)s));

-- move --
INSERT INTO consumers.cursors (name, position) VALUES (%(name)s, %(position)s)
ON CONFLICT (name) DO UPDATE SET position = excluded.position;
