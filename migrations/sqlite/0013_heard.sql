-- What the sound of answered calls was taken for, to be held against what agents say of them.
CREATE TABLE heard_calls (
    attempt_id BLOB PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    class TEXT NOT NULL,
    confidence_pm BIGINT NOT NULL,
    reason TEXT NOT NULL,
    decided_ms BIGINT NOT NULL,
    onset_ms BIGINT,
    speech_ms BIGINT,
    pauses BIGINT,
    beep_ms BIGINT
);
CREATE INDEX heard_calls_at ON heard_calls (at);
