-- page --
SELECT g.done_position, g.generation_id, g.pass_id, g.kind, g.output_url, g.liked,
       g.created_at, g.parent_id, g.brief
FROM unnest(%(names)s::text[]) AS n (name), LATERAL (
    SELECT * FROM views.generations
    WHERE pass_id = n.name AND done_position > %(after)s AND done_position < %(before)s
        AND created_at >= %(since)s AND created_at < %(until)s
        AND (%(liked)s::boolean IS NULL OR liked = %(liked)s)
    ORDER BY done_position DESC
    LIMIT %(limit)s) AS g
ORDER BY g.done_position DESC
LIMIT %(limit)s;

-- page_of_kind --
SELECT g.done_position, g.generation_id, g.pass_id, g.kind, g.output_url, g.liked,
       g.created_at, g.parent_id, g.brief
FROM unnest(%(names)s::text[]) AS n (name), LATERAL (
    SELECT * FROM views.generations
    WHERE pass_id = n.name AND done_position > %(after)s AND done_position < %(before)s
        AND created_at >= %(since)s AND created_at < %(until)s AND kind = %(kind)s
        AND (%(liked)s::boolean IS NULL OR liked = %(liked)s)
    ORDER BY done_position DESC
    LIMIT %(limit)s) AS g
ORDER BY g.done_position DESC
LIMIT %(limit)s;

-- page_of_liked --
SELECT g.done_position, g.generation_id, g.pass_id, g.kind, g.output_url, g.liked,
       g.created_at, g.parent_id, g.brief
FROM unnest(%(names)s::text[]) AS n (name), LATERAL (
    SELECT * FROM views.generations
    WHERE pass_id = n.name AND done_position > %(after)s AND done_position < %(before)s
        AND created_at >= %(since)s AND created_at < %(until)s AND liked
        AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    ORDER BY done_position DESC
    LIMIT %(limit)s) AS g
ORDER BY g.done_position DESC
LIMIT %(limit)s;

-- window --
-- What was created in a window of time was done after everything that was created well before it,
-- and before everything created well after: a deadline lies between (domain/generation.py).
SELECT max(older.done_position), min(newer.done_position)
FROM unnest(%(names)s::text[]) AS n (name)
LEFT JOIN LATERAL (
    SELECT done_position FROM views.generations
    WHERE pass_id = n.name AND done_position IS NOT NULL
        AND created_at < %(since)s::timestamptz - interval '20 minutes'
    ORDER BY created_at DESC LIMIT 1) AS older ON true
LEFT JOIN LATERAL (
    SELECT done_position FROM views.generations
    WHERE pass_id = n.name AND done_position IS NOT NULL
        AND created_at > %(until)s::timestamptz + interval '20 minutes'
    ORDER BY created_at LIMIT 1) AS newer ON true;
