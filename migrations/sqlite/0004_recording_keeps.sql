-- Care for sealed recordings: where each is, how long it stays, who forbids its end.
CREATE TABLE recording_keeps (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL,
    attempt_id BLOB NOT NULL,
    node TEXT NOT NULL,
    place TEXT NOT NULL,
    stored_sha256 TEXT NOT NULL,
    stored_bytes BIGINT NOT NULL,
    class TEXT,
    delete_after BIGINT,
    held_at BIGINT,
    held_by TEXT,
    hold_reason TEXT,
    tries BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,
    kept_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX recording_keeps_upload ON recording_keeps (node, next_try_at) WHERE place = 'local';
CREATE INDEX recording_keeps_plan ON recording_keeps (node, kept_at) WHERE delete_after IS NULL;
CREATE INDEX recording_keeps_end ON recording_keeps (delete_after) WHERE place <> 'deleted';
CREATE INDEX recordings_sealed ON recordings (sealed_at) WHERE outcome IN ('sealed', 'repaired');
