-- news --
SELECT p.position, f.position, f.pass_id, f.type, f.time, f.data::text
FROM views.projections AS p
LEFT JOIN LATERAL (
    SELECT * FROM views.feed WHERE position > %(after)s ORDER BY position LIMIT %(limit)s
) AS f ON true
WHERE p.name = 'feed'
ORDER BY f.position;

-- missed --
SELECT position, pass_id, type, time, data::text
FROM views.feed
WHERE pass_id = ANY (%(names)s) AND position > %(after)s AND position <= %(upto)s
ORDER BY position
LIMIT %(limit)s;

-- place --
SELECT position, (SELECT mg_recorded_at FROM mega_generations WHERE mg_position = %(wanted)s)
FROM views.projections
WHERE name = 'feed';

-- snapshot --
SELECT p.position, s.kind, s.shown::text
FROM views.projections AS p
LEFT JOIN LATERAL (
    SELECT * FROM views.feed_states
    WHERE pass_id = ANY (%(names)s) AND shown IS NOT NULL
    ORDER BY position DESC
    LIMIT %(limit)s
) AS s ON true
WHERE p.name = 'feed'
ORDER BY s.position;
