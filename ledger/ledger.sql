-- append --
SELECT append, last_position, conflict
FROM mega_append(%b::int[], %b::text[], %b::bigint[], %b::text[], %b::text[]::jsonb[], %s);

-- settle --
SELECT pg_advisory_xact_lock(7305791);

-- recorded_by --
SELECT max(mg_position)
FROM mega_generations
WHERE originator_id = %s AND originator_version = %s AND event->'metadata'->>'command_id' = %s;

-- streams --
SELECT originator_id, originator_version, topic, (event->'data')::text, mg_pass_id, mg_position
FROM mega_generations
WHERE originator_id = ANY (%s)
ORDER BY originator_id, originator_version;

-- last_of_stream --
SELECT coalesce(max(originator_version), 0) FROM mega_generations WHERE originator_id = %s;

-- answer --
SELECT event->'metadata'->'answer', mg_position
FROM mega_generations
WHERE originator_id = %s AND originator_version = 1;

-- page --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, (event->'metadata')::text, mg_pass_id
FROM mega_generations
WHERE mg_position > %s
ORDER BY mg_position
LIMIT %s;

-- window --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, (event->'metadata')::text, mg_pass_id
FROM mega_generations
WHERE mg_position > %s AND mg_position <= %s AND topic = ANY (%s)
ORDER BY mg_position;

-- at --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, (event->'metadata')::text, mg_pass_id
FROM mega_generations
WHERE mg_position = ANY (%s)
ORDER BY mg_position;

-- history --
SELECT mg_position, originator_id, originator_version, topic, mg_recorded_at,
       (event->'data')::text, (event->'metadata')::text, mg_pass_id
FROM mega_generations
WHERE originator_id = ANY (%s)
ORDER BY mg_position;

-- head --
SELECT mg_position, mg_hash FROM mega_generations ORDER BY mg_position DESC LIMIT 1;
