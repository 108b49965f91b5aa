-- schema --
CREATE TABLE badges (
    badge_id text COLLATE "C" PRIMARY KEY,
    user_id  text COLLATE "C" NOT NULL,
    badge    text COLLATE "C" NOT NULL,
    revoked  boolean          NOT NULL,
    awarded  bigint[]
);
COMMENT ON COLUMN badges.awarded IS
    'when and where the award was said: milliseconds, partition, offset; null: it was not yet';
CREATE INDEX ON badges (user_id);

-- discard --
DROP TABLE IF EXISTS badges;

-- name --
INSERT INTO badges
SELECT badge_id, user_id, badge, false, NULL
FROM json_populate_recordset(NULL::badges, %(page)s::json)
ON CONFLICT DO NOTHING;

-- say --
UPDATE badges AS known
SET revoked = known.revoked OR said.revoked, awarded = least(known.awarded, said.awarded)
FROM (SELECT badge_id, user_id, badge, bool_or(revoked) AS revoked, min(awarded) AS awarded
      FROM json_populate_recordset(NULL::badges, %(page)s::json)
      GROUP BY badge_id, user_id, badge) AS said
WHERE (known.badge_id, known.user_id, known.badge) = (said.badge_id, said.user_id, said.badge);

-- contradicted --
SELECT said.ordinality
FROM json_populate_recordset(NULL::badges, %(page)s::json) WITH ORDINALITY AS said
JOIN badges AS known USING (badge_id)
WHERE (said.user_id, said.badge) <> (known.user_id, known.badge);

-- badges_of --
SELECT badge_id, badge
FROM views.badges
WHERE user_id = ANY (%(names)s) AND awarded IS NOT NULL AND NOT revoked
ORDER BY awarded, badge_id;
