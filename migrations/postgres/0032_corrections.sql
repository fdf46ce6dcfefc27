-- A call whose person turned out to have been hung up on: how it stood before that was said, so that it can be
-- taken back.
ALTER TABLE heard_calls ADD COLUMN lost BIGINT NOT NULL DEFAULT 0;
ALTER TABLE heard_calls ADD COLUMN result_before TEXT;
ALTER TABLE heard_calls ADD COLUMN code_before TEXT;
