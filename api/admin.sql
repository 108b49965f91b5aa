-- recoveries --
SELECT position, case_id, kind, stream, pass_id, opened_at, status, attempts, next_try_at, facts
FROM views.recoveries
WHERE position > %(after)s
  AND (%(state)s::text IS NULL OR status = %(state)s)
  AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY position
LIMIT %(limit)s;

-- recovery --
SELECT case_id, kind, stream, pass_id, opened_at, status, attempts, next_try_at, facts
FROM views.recoveries
WHERE case_id = %(case)s;

-- reconciliations --
SELECT name, finished_at, checked, corrected, reviews, failure
FROM consumers.reconciliations
ORDER BY name;

-- parked --
-- `place` orders by time; what was parked in the same microsecond is told apart by its name.
SELECT place, reader, origin, stream, error, replay, parked_at
FROM (
    SELECT mega_microseconds(parked_at) * 1024 + (hashtext(reader || origin) & 1023) AS place, *
    FROM (
        SELECT 'projection ' || p.projection, g.originator_id || '/' || g.originator_version,
               p.stream, p.error, false, p.parked_at
        FROM views.parked AS p JOIN mega_generations AS g ON g.mg_position = p.position
        UNION ALL
        SELECT 'relay', g.originator_id || '/' || g.originator_version,
               u.stream, u.error, u.replay, u.parked_at
        FROM consumers.unpublished AS u JOIN mega_generations AS g ON g.mg_position = u.position
        UNION ALL
        SELECT reader, topic || '/' || part || '/' || place,
               encode(key, 'escape'), error, replay, parked_at
        FROM consumers.parked
    ) AS waiting (reader, origin, stream, error, replay, parked_at)
) AS placed
WHERE place > %(after)s
ORDER BY place
LIMIT %(limit)s;

-- projections_parked --
SELECT DISTINCT projection
FROM views.parked
WHERE %(stream)s::text IS NULL OR stream = %(stream)s;

-- replay_messages --
UPDATE consumers.parked SET replay = true
WHERE error IS NOT NULL
  AND (%(stream)s::text IS NULL OR key = convert_to(%(stream)s, 'UTF8'))
RETURNING place;

-- replay_events --
UPDATE consumers.unpublished SET replay = true
WHERE error IS NOT NULL AND (%(stream)s::text IS NULL OR stream = %(stream)s)
RETURNING position;
