-- of_stream --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, event->'metadata'->>'correlation_id', event->'metadata'->>'causation_id'
FROM mega_generations
WHERE originator_id = %(stream)s AND originator_version >= %(first)s
ORDER BY originator_version
LIMIT %(limit)s;

-- between --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, event->'metadata'->>'correlation_id', event->'metadata'->>'causation_id'
FROM mega_generations
WHERE mg_position BETWEEN %(first)s AND %(last)s
  AND (%(type)s::text IS NULL OR topic = %(type)s)
ORDER BY mg_position
LIMIT %(limit)s;

-- of_pass --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, event->'metadata'->>'correlation_id', event->'metadata'->>'causation_id'
FROM mega_generations
WHERE mg_pass_id = ANY (%(names)s) AND mg_position BETWEEN %(first)s AND %(last)s
  AND (%(type)s::text IS NULL OR topic = %(type)s)
ORDER BY mg_position
LIMIT %(limit)s;

-- until --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, (event->'metadata')::text
FROM mega_generations
WHERE originator_id = ANY (%(streams)s)
  AND (%(position)s::bigint IS NULL OR mg_position <= %(position)s)
  AND (%(at)s::timestamptz IS NULL OR mg_recorded_at <= %(at)s)
ORDER BY mg_position;

-- streams_of --
SELECT DISTINCT originator_id
FROM mega_generations
WHERE mg_pass_id = ANY (%(names)s) AND mg_record_type = ANY (%(kinds)s);

-- head --
SELECT mg_position, encode(mg_hash, 'hex') FROM mega_generations ORDER BY mg_position DESC LIMIT 1;
