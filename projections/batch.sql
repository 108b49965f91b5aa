-- advance --
UPDATE projections SET position = %(last)s
WHERE name = %(name)s AND position = %(after)s;

-- parked_streams --
SELECT DISTINCT stream FROM parked WHERE projection = %(projection)s;

-- park --
INSERT INTO parked (projection, position, stream, error)
VALUES (%(projection)s, %(position)s, %(stream)s, %(error)s)
ON CONFLICT DO NOTHING;

-- register --
INSERT INTO projections (name, version) VALUES (%(name)s, %(version)s)
ON CONFLICT (name) DO NOTHING;

-- standing --
SELECT version, position FROM projections WHERE name = %(name)s;

-- lead --
SELECT pg_try_advisory_lock(hashtextextended('projection ' || %(name)s, 0));
