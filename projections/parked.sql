-- parked --
SELECT projection, position, stream, error, parked_at
FROM views.parked
ORDER BY projection, position
LIMIT %(limit)s;

-- hold --
SELECT version FROM projections WHERE name = %(name)s FOR UPDATE;

-- positions --
SELECT position FROM parked WHERE projection = %(name)s ORDER BY position;

-- release --
DELETE FROM parked WHERE projection = %(name)s AND position = ANY (%(positions)s);
