-- What is kept of calls beside the attempt: who handed them to whom; ladders and quality, for a while.
CREATE TABLE transfers (
    id BLOB PRIMARY KEY NOT NULL,
    attempt_id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    from_agent BLOB NOT NULL,
    to_agent BLOB,
    to_campaign BLOB,
    to_number TEXT,
    verdict_id BLOB,
    conference BOOLEAN NOT NULL,
    asked_at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    outcome TEXT
);
CREATE INDEX transfers_attempt ON transfers (attempt_id, asked_at);
CREATE TABLE call_trails (
    attempt_id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    trail TEXT NOT NULL
);
CREATE INDEX call_trails_at ON call_trails (at);
CREATE INDEX attempts_trunk ON attempts (trunk_id, invite_at) WHERE invite_at IS NOT NULL;
