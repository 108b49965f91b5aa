-- head --
SELECT coalesce(max(mg_position), 0) FROM mega_generations;

-- standings --
SELECT name, version, position,
       (SELECT count(DISTINCT stream) FROM views.parked WHERE projection = name)
FROM views.projections;

-- topics --
SELECT projection, max(version), sum(next)::bigint, sum(ends)::bigint
FROM views.offsets
GROUP BY projection;

-- messages_parked --
SELECT reader, count(*) FROM consumers.parked GROUP BY reader;

-- leaders --
SELECT wanted.name, a.pid, host(a.client_addr), a.backend_start
FROM unnest(%(names)s::text[]) AS wanted (name)
JOIN pg_locks AS l
    ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint)
        = hashtextextended('projection ' || wanted.name, 0)
JOIN pg_stat_activity AS a ON a.pid = l.pid;
