-- Gateways as the installation knows them: what they carry, and how much they took in a minute.
CREATE TABLE gateways (
    name TEXT PRIMARY KEY NOT NULL,
    channels TEXT NOT NULL,
    minute BIGINT NOT NULL,
    taken BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);

-- Batches that strategies make have no segment.
ALTER TABLE letter_batches ADD COLUMN whom BLOB;
UPDATE letter_batches SET whom = segment_id;
ALTER TABLE letter_batches DROP COLUMN segment_id;
ALTER TABLE letter_batches RENAME COLUMN whom TO segment_id;
ALTER TABLE letter_batches ADD COLUMN strategy_id BLOB;
