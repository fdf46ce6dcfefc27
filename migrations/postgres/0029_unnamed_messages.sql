-- Messages of whoever has no file, by when they came: their addresses are forgotten as those of callers are.
CREATE INDEX inbox_unnamed ON inbox (received_at) WHERE debtor_id IS NULL AND address <> '';
