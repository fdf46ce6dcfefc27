-- Calls of debtors from a number that is not to be kept as theirs: it is forgotten with those of unknown callers.
CREATE TABLE borrowed_numbers (
    call_id BLOB PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX borrowed_numbers_at ON borrowed_numbers (at);

-- Callers for whom no file was kept, by when they called, and the calls of a file.
CREATE INDEX inbound_calls_unnamed ON inbound_calls (at) WHERE debtor_id IS NULL AND caller IS NOT NULL;
CREATE INDEX inbound_calls_debtor ON inbound_calls (debtor_id) WHERE debtor_id IS NOT NULL;
