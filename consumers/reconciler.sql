-- lead --
SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0));

-- ended --
INSERT INTO consumers.reconciliations (name, finished_at, checked, corrected, reviews, failure)
VALUES (%(name)s, %(at)s, %(checked)s, %(corrected)s, %(reviews)s, %(failure)s)
ON CONFLICT (name) DO UPDATE SET
    finished_at = excluded.finished_at,
    checked     = excluded.checked,
    corrected   = excluded.corrected,
    reviews     = excluded.reviews,
    failure     = excluded.failure;
