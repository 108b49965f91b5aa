-- newest --
SELECT generation_id FROM views.generations
WHERE felt_position IS NOT NULL AND pass_id IN (
    SELECT %(pass_id)s
    UNION ALL
    SELECT unnest(absorbed) FROM views.passes WHERE pass_id = %(pass_id)s)
ORDER BY felt_position DESC
LIMIT %(most)s;
