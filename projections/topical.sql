-- offsets --
CREATE TABLE IF NOT EXISTS offsets (
    projection text   NOT NULL,
    version    int    NOT NULL,
    part       int    NOT NULL,
    next       bigint NOT NULL,
    ends       bigint NOT NULL,
    PRIMARY KEY (projection, part)
);

-- version --
SELECT max(version) FROM offsets WHERE projection = %(name)s;

-- missing --
SELECT count(*) FROM unnest(%(tables)s::text[]) AS wanted (name) WHERE to_regclass(name) IS NULL;

-- forget --
DELETE FROM offsets WHERE projection = %(name)s;

-- register --
INSERT INTO offsets AS known (projection, version, part, next, ends)
SELECT %(name)s, %(version)s, part, 0, ends
FROM unnest(%(parts)s::int[], %(ends)s::bigint[]) AS found (part, ends)
ON CONFLICT (projection, part) DO UPDATE SET ends = excluded.ends
WHERE known.version = excluded.version
RETURNING part, next;

-- move --
UPDATE offsets SET next = moved.next, ends = moved.ends
FROM unnest(%(parts)s::int[], %(befores)s::bigint[], %(nexts)s::bigint[], %(ends)s::bigint[])
    AS moved (part, before, next, ends)
WHERE projection = %(name)s AND version = %(version)s
  AND offsets.part = moved.part AND offsets.next = moved.before;

-- standing --
SELECT part, next FROM offsets
WHERE projection = %(name)s
  AND NOT EXISTS (SELECT FROM unnest(%(tables)s::text[]) AS wanted (name)
                  WHERE to_regclass(name) IS NULL);

-- hold --
SELECT part, next FROM offsets WHERE projection = %(name)s FOR UPDATE;

-- places --
SELECT part, next FROM views.offsets WHERE projection = %(name)s ORDER BY part;

-- hold_live --
SELECT part, next FROM views.offsets WHERE projection = %(name)s FOR UPDATE;

-- hand_over --
INSERT INTO views.offsets SELECT * FROM offsets
ON CONFLICT (projection, part) DO UPDATE SET
    version = excluded.version,
    next    = excluded.next,
    ends    = excluded.ends;

-- let_go --
DROP TABLE offsets;
