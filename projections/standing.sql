-- head --
SELECT coalesce(max(mg_position), 0) FROM mega_generations;

-- standings --
SELECT p.name, p.version, p.position,
       (SELECT count(DISTINCT stream) FROM views.parked WHERE projection = p.name),
       a.pid, host(a.client_addr), a.backend_start
FROM views.projections AS p
LEFT JOIN pg_locks AS l
    ON l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('projection ' || p.name, 0)
LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
ORDER BY p.name;
