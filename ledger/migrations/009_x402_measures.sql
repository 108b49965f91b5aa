-- Seed 004 "Metrics to Track", over the ledger itself: one row an order, and the four measures of the
-- last 24 hours of the application's clock. /metrics tells the same, because it reads these views.

CREATE INDEX IF NOT EXISTS mega_generations_x402 ON mega_generations (mg_recorded_at)
    WHERE originator_id LIKE 'order:x402:%';

CREATE OR REPLACE VIEW mega_x402_payments AS
SELECT originator_id,
       min((event->'data'->>'fid')::bigint) AS fid,
       min(event->'data'->>'payment_type') AS payment_type,
       min(mg_recorded_at) FILTER (WHERE topic = 'x402_payment_verified.v1') AS verified_at,
       max(mg_recorded_at) FILTER (WHERE topic = 'x402_payment_settled.v1') AS settled_at,
       max(mg_recorded_at) FILTER (WHERE topic = 'geoplet_minted.v1') AS minted_at,
       max(mg_recorded_at) FILTER (WHERE topic = 'regeneration_stored.v1') AS completed_at
FROM mega_generations
WHERE originator_id LIKE 'order:x402:%'
  AND mg_recorded_at > statement_timestamp() - interval '24 hours'
      + (SELECT ahead FROM consumers.clock)
GROUP BY originator_id
HAVING bool_or(topic = 'x402_payment_verified.v1');

CREATE OR REPLACE VIEW mega_x402_errors AS
SELECT CASE topic
           WHEN 'x402_payment_rejected.v1' THEN 'SETTLEMENT_FAILED'
           WHEN 'x402_payment_expired.v1' THEN 'SIGNATURE_EXPIRED'
           WHEN 'x402_order_failed.v1' THEN event->'data'->>'error_code'
           ELSE CASE event->'data'->>'error_class'
                    WHEN 'quota' THEN 'AI_CREDIT_EXHAUSTED'
                    WHEN 'refused' THEN 'CONTENT_REFUSED'
                    ELSE 'GENERATION_FAILED'
                END
       END AS error_code,
       count(*) AS occurrences
FROM mega_generations
WHERE originator_id LIKE 'order:x402:%'
  AND mg_recorded_at > statement_timestamp() - interval '24 hours'
      + (SELECT ahead FROM consumers.clock)
  AND (topic IN ('x402_payment_rejected.v1', 'x402_payment_expired.v1', 'x402_order_failed.v1')
       OR topic = 'regeneration_failed.v1' AND (event->'data'->>'gave_up')::boolean)
GROUP BY error_code;

-- Percentages and seconds are null while there is nothing to divide by.
CREATE OR REPLACE VIEW mega_x402_measures AS
SELECT count(*) FILTER (WHERE payment_type = 'mint') AS mint_payments,
       count(*) AS payments,
       round(100.0 * count(*) FILTER (WHERE minted_at IS NOT NULL)
             / nullif(count(*) FILTER (WHERE payment_type = 'mint'), 0), 3) AS success_rate,
       round(100.0 * count(*) FILTER (WHERE settled_at IS NOT NULL)
             / nullif(count(*), 0), 3) AS settlement_rate,
       round(avg(extract(epoch FROM minted_at - verified_at)), 3) AS seconds_to_mint
FROM mega_x402_payments;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON mega_x402_payments, mega_x402_errors, mega_x402_measures TO %I',
                   current_setting('mega.app_role'));
END $$;
