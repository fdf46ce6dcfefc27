-- Campaigns, attempts and everything a call leaves behind.
CREATE TABLE scripts (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    steps TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE campaigns (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    segment_id UUID NOT NULL,
    script_id UUID,
    status TEXT NOT NULL,
    params TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- rank1..4 are the values of the campaign's order keys, greatest first; order_code tells which keys.
CREATE TABLE campaign_items (
    campaign_id UUID NOT NULL REFERENCES campaigns (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    person_id UUID NOT NULL REFERENCES persons (id),
    next_at BIGINT NOT NULL,
    priority BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    last_result TEXT,
    next_point UUID,
    done BOOLEAN NOT NULL DEFAULT FALSE,
    note TEXT NOT NULL DEFAULT '',
    rank1 BIGINT NOT NULL DEFAULT 0,
    rank2 BIGINT NOT NULL DEFAULT 0,
    rank3 BIGINT NOT NULL DEFAULT 0,
    rank4 BIGINT NOT NULL DEFAULT 0,
    order_code BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, debtor_id)
);
CREATE INDEX campaign_items_order ON campaign_items
    (campaign_id, priority DESC, rank1 DESC, rank2 DESC, rank3 DESC, rank4 DESC, debtor_id, next_at)
    WHERE NOT done;
CREATE INDEX campaign_items_state ON campaign_items (campaign_id, done, next_at);
CREATE INDEX campaign_items_debtor ON campaign_items (debtor_id);

CREATE TABLE dispositions (
    code TEXT PRIMARY KEY NOT NULL,
    label_es TEXT NOT NULL,
    label_en TEXT NOT NULL,
    rpc BOOLEAN NOT NULL,
    is_final BOOLEAN NOT NULL,
    next TEXT NOT NULL,
    cooloff_h BIGINT NOT NULL,
    hold TEXT,
    required TEXT NOT NULL,
    hotkey BIGINT NOT NULL,
    agent_may_set BOOLEAN NOT NULL
);

CREATE TABLE trunks (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    channels BIGINT NOT NULL,
    cps BIGINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE caller_ids (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    number TEXT NOT NULL,
    country TEXT NOT NULL,
    registered BOOLEAN NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE attempts (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    campaign_id UUID,
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    person_id UUID NOT NULL REFERENCES persons (id),
    debt_id UUID,
    debts TEXT NOT NULL,
    point_id UUID NOT NULL,
    phone TEXT NOT NULL,
    class TEXT NOT NULL,
    trunk_id UUID NOT NULL,
    caller_id UUID,
    caller_number TEXT NOT NULL,
    node TEXT NOT NULL,
    fence BIGINT NOT NULL,
    mode TEXT NOT NULL,
    agent_reserved BOOLEAN NOT NULL,
    state TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    invite_at BIGINT,
    ringing_at BIGINT,
    answered_at BIGINT,
    popped_at BIGINT,
    acked_at BIGINT,
    bridged_at BIGINT,
    identity_at BIGINT,
    ended_at BIGINT,
    result TEXT,
    sip_code BIGINT,
    q850 BIGINT,
    disposition TEXT,
    note TEXT,
    disposed_at BIGINT,
    agent_id UUID,
    recording_id UUID,
    verdict_id UUID NOT NULL,
    pack TEXT NOT NULL,
    pack_version TEXT NOT NULL
);
-- One live attempt a debtor, a person and a number, whatever races.
CREATE UNIQUE INDEX attempts_live_debtor ON attempts (debtor_id) WHERE state NOT IN ('ended', 'unknown');
CREATE UNIQUE INDEX attempts_live_person ON attempts (person_id) WHERE state NOT IN ('ended', 'unknown');
CREATE UNIQUE INDEX attempts_live_phone ON attempts (phone) WHERE state NOT IN ('ended', 'unknown');
CREATE INDEX attempts_debtor ON attempts (debtor_id, opened_at);
CREATE INDEX attempts_points ON attempts (debtor_id, campaign_id, point_id);
CREATE INDEX attempts_campaign ON attempts (campaign_id, id);
CREATE INDEX attempts_client ON attempts (client_id, id);
CREATE INDEX attempts_opened ON attempts (opened_at);
CREATE INDEX attempts_answered ON attempts (answered_at) WHERE answered_at IS NOT NULL;

CREATE TABLE verdicts (
    id UUID PRIMARY KEY NOT NULL,
    at BIGINT NOT NULL,
    client_id UUID,
    check_point TEXT NOT NULL,
    debtor_id UUID NOT NULL,
    point_id UUID,
    campaign_id UUID,
    channel TEXT NOT NULL,
    decision TEXT NOT NULL,
    blocked TEXT,
    pack TEXT,
    pack_version TEXT,
    body TEXT NOT NULL
);
CREATE INDEX verdicts_debtor ON verdicts (debtor_id, at);
CREATE INDEX verdicts_blocked ON verdicts (at, campaign_id, blocked) WHERE blocked IS NOT NULL;

CREATE TABLE ledger (
    id UUID PRIMARY KEY NOT NULL,
    person_id UUID NOT NULL,
    debtor_id UUID NOT NULL,
    client_id UUID NOT NULL,
    debts TEXT NOT NULL,
    point_id UUID,
    address TEXT NOT NULL,
    class TEXT NOT NULL,
    channel TEXT NOT NULL,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL,
    attempt_id UUID,
    campaign_id UUID,
    reached_network BOOLEAN
);
CREATE INDEX ledger_person ON ledger (person_id, at);
CREATE INDEX ledger_address ON ledger (address, at);
CREATE INDEX ledger_attempt ON ledger (attempt_id);

CREATE TABLE calls (
    id UUID PRIMARY KEY NOT NULL,
    attempt_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT
);
CREATE INDEX calls_attempt ON calls (attempt_id);

CREATE TABLE recordings (
    id UUID PRIMARY KEY NOT NULL,
    attempt_id UUID NOT NULL,
    client_id UUID NOT NULL,
    key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    sha256 TEXT,
    duration_ms BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    gaps TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    sealed_at BIGINT
);
CREATE INDEX recordings_attempt ON recordings (attempt_id);
CREATE INDEX recordings_client ON recordings (client_id, id);
CREATE INDEX recordings_open ON recordings (attempt_id) WHERE outcome = 'open';
