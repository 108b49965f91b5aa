-- parked --
-- Which messages of a page wait to be replayed: read again, they are not taken a second time.
SELECT part, place
FROM consumers.parked
JOIN unnest(%(parts)s::int[], %(firsts)s::bigint[], %(lasts)s::bigint[])
    AS page (of_part, first, last) ON part = of_part AND place BETWEEN first AND last
WHERE reader = %(reader)s AND topic = %(topic)s;

-- still_parked --
SELECT part, place FROM consumers.parked WHERE reader = %(reader)s AND topic = %(topic)s;

