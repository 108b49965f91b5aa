-- The rows that a parked event would have changed: later events of other streams that change the
-- same rows wait behind it, so that a replay applies to each row what it would have had in order.
ALTER TABLE views.parked ADD COLUMN IF NOT EXISTS keys text[] NOT NULL DEFAULT '{}';
