-- read --
SELECT ahead FROM consumers.clock;

-- advance --
UPDATE consumers.clock SET ahead = ahead + %(by)s RETURNING ahead;
