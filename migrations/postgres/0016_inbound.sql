-- Calls that come in: who called whom is a mark of the attempt, and every call has a row of its own,
-- also where it became no attempt.
ALTER TABLE attempts ADD COLUMN direction TEXT NOT NULL DEFAULT 'outbound';

CREATE TABLE inbound_calls (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID,
    campaign_id UUID,
    debtor_id UUID,
    trunk_id UUID NOT NULL,
    node TEXT NOT NULL,
    called TEXT NOT NULL,
    caller TEXT,
    at BIGINT NOT NULL,
    answered_at BIGINT,
    ended_at BIGINT,
    agent_id UUID,
    outcome TEXT NOT NULL,
    wait_ms BIGINT NOT NULL,
    place BIGINT
);
CREATE INDEX inbound_calls_client ON inbound_calls (client_id, id);
CREATE INDEX inbound_calls_campaign ON inbound_calls (campaign_id, at);
CREATE INDEX inbound_calls_open ON inbound_calls (node) WHERE outcome = 'open';
