-- Records of one event are listed by kind, newest first: steps, what people did, matcha movements.

CREATE INDEX IF NOT EXISTS mega_generations_records
    ON mega_generations (mg_record_type, mg_position)
    WHERE mg_record_type IN ('credit_transaction', 'mma_step', 'mma_event', 'feedback');
