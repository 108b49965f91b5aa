-- lead --
SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0));

-- cursor --
SELECT position FROM consumers.cursors WHERE name = %(name)s;

-- move --
INSERT INTO consumers.cursors (name, position) VALUES (%(name)s, %(position)s)
ON CONFLICT (name) DO UPDATE SET position = excluded.position;
