-- waiting --
SELECT topic, key FROM consumers.parked WHERE reader = %(reader)s GROUP BY topic, key;

-- park --
INSERT INTO consumers.parked (reader, topic, part, place, key, headers, value, error)
VALUES (%(reader)s, %(topic)s, %(part)s, %(place)s, %(key)s, %(headers)s, %(value)s, %(error)s)
ON CONFLICT DO NOTHING;

-- due --
-- Keys whose first row is to be tried again, or has lost the failed one before it.
SELECT topic, part, place, key, headers, value, error IS NULL OR replay AS due
FROM consumers.parked
WHERE reader = %(reader)s AND (topic, key) IN (
    SELECT topic, key
    FROM (SELECT DISTINCT ON (topic, key) topic, key, error IS NULL OR replay AS due
          FROM consumers.parked WHERE reader = %(reader)s
          ORDER BY topic, key, part, place) AS firsts
    WHERE due)
ORDER BY topic, part, place
LIMIT %(limit)s;

-- due_hints --
SELECT topic, part, place, key, headers, value, true AS due
FROM consumers.parked
WHERE reader = %(reader)s AND replay
ORDER BY topic, part, place
LIMIT %(limit)s;

-- through --
DELETE FROM consumers.parked
WHERE reader = %(reader)s AND topic = %(topic)s AND part = %(part)s AND place = %(place)s;

-- failed_again --
UPDATE consumers.parked SET error = %(error)s, replay = false
WHERE reader = %(reader)s AND topic = %(topic)s AND part = %(part)s AND place = %(place)s;
