-- prepare --
SELECT pg_advisory_xact_lock(7305793);
CREATE TABLE IF NOT EXISTS consumers.library_tracking (
    application_name text   PRIMARY KEY,
    notification_id  bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS consumers.library_snapshots (
    purpose            text   NOT NULL,
    originator_id      text   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    PRIMARY KEY (purpose, originator_id, originator_version)
);

-- numbered_from_zero --
SELECT originator_id
FROM mega_generations
WHERE originator_id = ANY (%s) AND originator_version = 1
  AND event->'metadata' @> '{"first_version": 0}';

-- events --
SELECT stream, version, topic, state
FROM (SELECT originator_id AS stream, topic, (event->'data')::text AS state,
             originator_version - 1 + coalesce((event->'metadata'->>'first_version')::bigint, 1) AS version
      FROM mega_generations
      WHERE originator_id = %(stream)s) AS events
WHERE (%(gt)s::bigint IS NULL OR version > %(gt)s)
  AND (%(lte)s::bigint IS NULL OR version <= %(lte)s)
ORDER BY version * %(direction)s
LIMIT %(limit)s;

-- notifications --
SELECT originator_id,
       originator_version - 1 + coalesce((event->'metadata'->>'first_version')::bigint, 1),
       topic, (event->'data')::text, mg_position
FROM mega_generations
WHERE mg_position > %(after)s
  AND (%(stop)s::bigint IS NULL OR mg_position <= %(stop)s)
  AND (%(topics)s::text[] = '{}' OR topic = ANY (%(topics)s))
ORDER BY mg_position
LIMIT %(limit)s;

-- last_position --
SELECT max(mg_position) FROM mega_generations;

-- track --
INSERT INTO consumers.library_tracking AS known VALUES (%s, %s)
ON CONFLICT (application_name) DO UPDATE SET notification_id = excluded.notification_id
    WHERE known.notification_id < excluded.notification_id
RETURNING notification_id;

-- tracked --
SELECT max(notification_id) FROM consumers.library_tracking WHERE application_name = %s;

-- keep_snapshot --
INSERT INTO consumers.library_snapshots VALUES (%s, %s, %s, %s, %s);

-- snapshots --
SELECT originator_id, originator_version, topic, state
FROM consumers.library_snapshots
WHERE purpose = %(purpose)s AND originator_id = %(stream)s
  AND (%(gt)s::bigint IS NULL OR originator_version > %(gt)s)
  AND (%(lte)s::bigint IS NULL OR originator_version <= %(lte)s)
ORDER BY originator_version * %(direction)s
LIMIT %(limit)s;
