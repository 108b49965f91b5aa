-- records --
SELECT mg_position
FROM mega_generations
WHERE mg_record_type = %(kind)s
  AND mg_record_type IN ('credit_transaction', 'mma_step', 'mma_event', 'feedback')
  AND mg_position < %(before)s
  AND (%(names)s::text[] IS NULL OR mg_pass_id = ANY (%(names)s))
ORDER BY mg_position DESC
LIMIT %(limit)s;

-- records_of_generation --
SELECT mg_position
FROM mega_generations
WHERE originator_id = %(stream)s AND mg_record_type = %(kind)s AND mg_position < %(before)s
  AND (%(names)s::text[] IS NULL OR mg_pass_id = ANY (%(names)s))
ORDER BY mg_position DESC
LIMIT %(limit)s;

-- generations --
SELECT position, generation_id
FROM views.generations
WHERE position < %(before)s
  AND (%(names)s::text[] IS NULL OR pass_id = ANY (%(names)s))
  AND (%(status)s::text IS NULL OR status = %(status)s)
ORDER BY position DESC
LIMIT %(limit)s;
