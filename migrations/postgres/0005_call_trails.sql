-- What is kept of calls beside the attempt: who handed them to whom; ladders and quality, for a while.
CREATE TABLE transfers (
    id UUID PRIMARY KEY NOT NULL,
    attempt_id UUID NOT NULL,
    client_id UUID NOT NULL,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    from_agent UUID NOT NULL,
    to_agent UUID,
    to_campaign UUID,
    to_number TEXT,
    verdict_id UUID,
    conference BOOLEAN NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    outcome TEXT
);
CREATE INDEX transfers_attempt ON transfers (attempt_id, asked_at);
CREATE TABLE call_trails (
    attempt_id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL,
    at BIGINT NOT NULL,
    trail TEXT NOT NULL
);
CREATE INDEX call_trails_at ON call_trails (at);
CREATE INDEX attempts_trunk ON attempts (trunk_id, invite_at) WHERE invite_at IS NOT NULL;
