-- mega_append: the only way in. One round trip, one transaction, one advisory lock.
--
-- Takes parallel arrays, one element an event; `p_append` numbers the append an event belongs to.
-- Appends stand or fall alone: one whose expected versions are taken is refused by naming the
-- stream, and its neighbours are recorded all the same. No two appends of a call may share a stream.
--
-- mg_hash = sha256(previous mg_hash || utf8 of
--   position LF stream LF version LF topic LF recorded_at LF event::text)
-- where recorded_at is microseconds since 1970 and event::text is PostgreSQL's own canonical form
-- of jsonb. docs/ledger.md writes it out.

CREATE OR REPLACE FUNCTION mega_microseconds(p_at timestamptz) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (extract(epoch FROM p_at) * 1000000)::bigint
$$;

-- Which appends expect a version that the ledger does not offer, each with the stream at fault.
CREATE OR REPLACE FUNCTION mega_conflicts(p_append int[], p_stream text[], p_version bigint[])
RETURNS TABLE (append int, stream text) LANGUAGE sql STABLE AS $$
    -- An event's version less its place among the append's events of the stream is what is known.
    SELECT asked.a, asked.s
    FROM (SELECT a, s, min(v - place) AS least, max(v - place) AS most
          FROM (SELECT a, s, v, row_number() OVER (PARTITION BY a, s ORDER BY n) AS place
                FROM unnest(p_append, p_stream, p_version) WITH ORDINALITY AS e(a, s, v, n)) AS placed
          GROUP BY a, s) AS asked
    LEFT JOIN LATERAL (SELECT g.originator_version AS v FROM mega_generations g
          WHERE g.originator_id = asked.s ORDER BY g.originator_version DESC LIMIT 1) AS known ON true
    WHERE (asked.least, asked.most) <> (coalesce(known.v, 0), coalesce(known.v, 0))
$$;

CREATE OR REPLACE FUNCTION mega_append(
    p_append int[], p_stream text[], p_version bigint[], p_topic text[], p_event jsonb[],
    p_ahead interval DEFAULT '0'
) RETURNS TABLE (append int, last_position bigint, conflict text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    head      bigint;
    hash      bytea;
    at        timestamptz;
    micros    bigint;
    refused   int[];
    faults    text[];
    positions bigint[]    := '{}';
    hashes    bytea[]     := '{}';
    pos       bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(7305791);

    SELECT g.mg_position, g.mg_hash, g.mg_recorded_at INTO head, hash, at
    FROM mega_generations g ORDER BY g.mg_position DESC LIMIT 1;
    IF NOT FOUND THEN
        head := 0; hash := decode(repeat('00', 32), 'hex');
    END IF;
    at := greatest(at, clock_timestamp() + p_ahead);
    micros := mega_microseconds(at);
    SELECT array_agg(c.append), array_agg(c.stream) INTO refused, faults
    FROM mega_conflicts(p_append, p_stream, p_version) AS c;

    pos := head;
    FOR i IN 1 .. cardinality(p_stream) LOOP
        IF refused IS NOT NULL AND p_append[i] = ANY (refused) THEN
            positions := positions || NULL::bigint; hashes := hashes || NULL::bytea;
        ELSE
            pos := pos + 1;
            hash := sha256(hash || convert_to(pos || E'\n' || p_stream[i] || E'\n' || p_version[i]
                || E'\n' || p_topic[i] || E'\n' || micros || E'\n' || p_event[i]::text, 'UTF8'));
            positions := positions || pos; hashes := hashes || hash;
        END IF;
    END LOOP;

    INSERT INTO mega_generations
        (mg_position, originator_id, originator_version, topic, event, mg_recorded_at, mg_hash)
    SELECT n.p, n.s, n.v, n.t, n.e, at, n.h
    FROM unnest(positions, p_stream, p_version, p_topic, p_event, hashes) AS n(p, s, v, t, e, h)
    WHERE n.p IS NOT NULL;

    IF EXISTS (SELECT FROM unnest(p_topic, p_event) AS n(t, e) WHERE mega_moves_customer(n.t, n.e)) THEN
        IF mega_overdrawn(head + 1, (SELECT array_agg(last ORDER BY last) FROM (
                SELECT max(n.p) AS last FROM unnest(p_append, positions) AS n(a, p)
                WHERE n.p IS NOT NULL GROUP BY n.a) AS lasts)) THEN
            RAISE EXCEPTION 'an append would leave a pass with fewer credits than are held'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'mega_credits_cover_what_is_held';
        END IF;
        PERFORM mega_move_customers(head + 1, pos);
    END IF;
    RETURN QUERY
        SELECT n.a, max(n.p), min(c.stream)
        FROM unnest(p_append, positions) AS n(a, p)
        LEFT JOIN unnest(refused, faults) AS c(append, stream) ON c.append = n.a
        GROUP BY n.a;
END $$;
