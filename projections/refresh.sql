-- hold --
SELECT version, position FROM projections WHERE name = %(name)s FOR UPDATE;

-- release --
DELETE FROM parked WHERE projection = %(name)s AND stream = ANY (%(streams)s);
