-- chain --
COPY (
    SELECT mg_position, coalesce(mg_hash, ''), coalesce(convert_to(originator_id || E'\n'
        || originator_version || E'\n' || topic || E'\n'
        || (extract(epoch FROM mg_recorded_at) * 1000000)::bigint || E'\n' || event::text, 'UTF8'), '')
    FROM public.mega_generations
    ORDER BY mg_position
) TO STDOUT (FORMAT BINARY);

-- last --
SELECT coalesce(max(mg_position), 0) FROM public.mega_generations;

-- before --
SELECT mg_position, mg_hash
FROM public.mega_generations
WHERE mg_position < %s
ORDER BY mg_position DESC
LIMIT %s;

-- version_before --
SELECT coalesce(max(originator_version), 0)
FROM public.mega_generations
WHERE originator_id = %s AND mg_position < %s;

-- out_of_order --
SELECT mg_position, originator_id, originator_version, place
FROM (SELECT mg_position, originator_id, originator_version,
             row_number() OVER (PARTITION BY originator_id ORDER BY mg_position) AS place
      FROM public.mega_generations
      WHERE mg_position <= %s) AS rows
WHERE originator_version <> place
ORDER BY mg_position
LIMIT 1;
