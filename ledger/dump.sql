-- span --
SELECT least(coalesce(max(mg_position), 0), %(last)s::bigint),
       coalesce((SELECT encode(mg_hash, 'hex') FROM public.mega_generations
                 WHERE mg_position = %(first)s - 1), repeat('00', 32))
FROM public.mega_generations;

-- lines --
COPY (
    SELECT mg_position, originator_id, originator_version::bigint, topic,
           (extract(epoch FROM mg_recorded_at) * 1000000)::bigint, event::text, encode(mg_hash, 'hex')
    FROM public.mega_generations
    WHERE mg_position BETWEEN %s AND %s
    ORDER BY mg_position
) TO STDOUT (FORMAT BINARY);
