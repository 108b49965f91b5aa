-- advance --
UPDATE projections SET position = %(last)s
WHERE name = %(name)s AND version = %(version)s AND position = %(after)s;

-- parked --
SELECT stream, keys FROM parked WHERE projection = %(projection)s;

-- park --
INSERT INTO parked (projection, position, stream, keys, error)
VALUES (%(projection)s, %(position)s, %(stream)s, %(keys)s, %(error)s)
ON CONFLICT DO NOTHING;

-- lead --
SELECT pg_try_advisory_lock(hashtextextended('projection ' || %(name)s, 0));

-- step_down --
SELECT pg_advisory_unlock_all();
