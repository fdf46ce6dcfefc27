-- What the law asks beyond 0001: preferences, external lists, complaints, versions of campaigns, and the
-- chain of decisions (hash = SHA-256 of the one before and the body; one chain a debtor).
CREATE TABLE preferences (
    id BLOB PRIMARY KEY NOT NULL,
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    kind TEXT NOT NULL,
    channel TEXT,
    point_id BLOB,
    days TEXT NOT NULL,
    from_clock TEXT,
    to_clock TEXT,
    recorded_at BIGINT NOT NULL,
    until BIGINT,
    revoked_at BIGINT,
    proof TEXT NOT NULL
);
CREATE INDEX preferences_debtor ON preferences (debtor_id);
CREATE TABLE dnc_lists (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    hash_key TEXT NOT NULL,
    entries BIGINT NOT NULL,
    file_sha256 TEXT NOT NULL,
    as_of BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);
CREATE TABLE dnc_entries (
    hash TEXT NOT NULL,
    list_id BLOB NOT NULL REFERENCES dnc_lists (id),
    PRIMARY KEY (hash, list_id)
);
CREATE TABLE complaints (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL,
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    authority TEXT NOT NULL,
    number TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    deadline TEXT NOT NULL,
    state TEXT NOT NULL,
    summary TEXT NOT NULL,
    answer TEXT,
    answered_at BIGINT,
    created_at BIGINT NOT NULL,
    UNIQUE (client_id, authority, number)
);
CREATE INDEX complaints_debtor ON complaints (debtor_id);
CREATE TABLE campaign_versions (
    id BLOB PRIMARY KEY NOT NULL,
    campaign_id BLOB NOT NULL REFERENCES campaigns (id),
    client_id BLOB NOT NULL,
    name TEXT NOT NULL,
    segment_id BLOB NOT NULL,
    script_id BLOB,
    params TEXT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT,
    restores BIGINT,
    note TEXT NOT NULL,
    made_by BLOB,
    created_at BIGINT NOT NULL,
    published_at BIGINT
);
CREATE INDEX campaign_versions_campaign ON campaign_versions (campaign_id, id);
ALTER TABLE verdicts ADD COLUMN seq BIGINT;
ALTER TABLE verdicts ADD COLUMN prev_hash TEXT;
ALTER TABLE verdicts ADD COLUMN hash TEXT;
CREATE INDEX verdicts_chain ON verdicts (debtor_id, seq);
