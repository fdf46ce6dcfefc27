-- The detector acts: what was done on a verdict, what was really there, recordings of carriers, messages.
ALTER TABLE heard_calls ADD COLUMN acted TEXT NOT NULL DEFAULT 'shadow';
ALTER TABLE heard_calls ADD COLUMN truth TEXT;
ALTER TABLE heard_calls ADD COLUMN told_by TEXT;
ALTER TABLE heard_calls ADD COLUMN told_at BIGINT;

CREATE TABLE heard_prints (
    trunk_id UUID NOT NULL,
    print TEXT NOT NULL,
    numbers BIGINT NOT NULL,
    persons BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (trunk_id, print)
);

CREATE TABLE voicemail_templates (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    language TEXT NOT NULL,
    parts TEXT NOT NULL,
    person TEXT NOT NULL,
    approved_by UUID,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (client_id, name)
);
