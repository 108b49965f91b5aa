-- lead --
SELECT pg_try_advisory_lock(hashtextextended('relay', 0));

-- register --
INSERT INTO consumers.cursors (name, position) VALUES ('relay', 0) ON CONFLICT DO NOTHING;

-- standing --
SELECT position FROM consumers.cursors WHERE name = 'relay';

-- advance --
UPDATE consumers.cursors SET position = %(last)s WHERE name = 'relay' AND position = %(after)s;

-- page --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, (event->'metadata')::text
FROM mega_generations
WHERE mg_position > %(after)s AND mg_position <= %(last)s
ORDER BY mg_position;

-- waiting --
SELECT DISTINCT stream FROM consumers.unpublished;

-- park --
INSERT INTO consumers.unpublished (position, stream, error)
VALUES (%(position)s, %(stream)s, %(error)s);

-- due --
-- Streams whose first row is to be tried again, or has lost the failed one before it.
SELECT g.mg_position, g.originator_id, g.originator_version, g.topic, g.mg_recorded_at,
       (g.event->'data')::text, (g.event->'metadata')::text
FROM consumers.unpublished AS u JOIN mega_generations AS g ON g.mg_position = u.position
WHERE u.stream IN (
    SELECT stream
    FROM (SELECT DISTINCT ON (stream) stream, error IS NULL OR replay AS due
          FROM consumers.unpublished ORDER BY stream, position) AS firsts
    WHERE due)
ORDER BY u.position
LIMIT %(limit)s;

-- through --
DELETE FROM consumers.unpublished WHERE position = ANY (%(positions)s);

-- failed_again --
UPDATE consumers.unpublished SET error = %(error)s, replay = false WHERE position = %(position)s;
