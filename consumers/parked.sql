-- messages --
SELECT reader, topic || '/' || part || '/' || place, key, error, replay, parked_at
FROM consumers.parked
ORDER BY reader, topic, part, place
LIMIT %(limit)s;

-- events --
SELECT 'relay', u.stream || '/' || g.originator_version, u.stream::bytea, u.error, u.replay,
       u.parked_at
FROM consumers.unpublished AS u JOIN mega_generations AS g ON g.mg_position = u.position
ORDER BY u.position
LIMIT %(limit)s;

-- replay_messages --
UPDATE consumers.parked SET replay = true
WHERE error IS NOT NULL AND (%(key)s::bytea IS NULL OR key = %(key)s::bytea);

-- replay_events --
UPDATE consumers.unpublished SET replay = true
WHERE error IS NOT NULL AND (%(stream)s::text IS NULL OR stream = %(stream)s::text);
