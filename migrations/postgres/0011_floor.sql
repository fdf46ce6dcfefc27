-- The floor: call-backs, rests of caller ids, templates, who works whom, the morning list.
CREATE INDEX campaign_items_callbacks ON campaign_items (next_at, campaign_id, debtor_id)
    WHERE NOT done AND priority >= 20;

CREATE TABLE caller_rests (
    caller_id UUID PRIMARY KEY NOT NULL REFERENCES caller_ids (id),
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    reason TEXT NOT NULL,
    calls BIGINT NOT NULL,
    answered BIGINT NOT NULL
);

CREATE TABLE campaign_templates (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID REFERENCES clients (id),
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    params TEXT NOT NULL,
    made_by UUID,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE assignment_rules (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    segment_id UUID NOT NULL,
    target TEXT NOT NULL,
    campaign_id UUID,
    team_id UUID,
    agents TEXT NOT NULL,
    most BIGINT,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX assignment_rules_client ON assignment_rules (client_id, id);

CREATE TABLE assignments (
    debtor_id UUID PRIMARY KEY NOT NULL REFERENCES debtors (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    rule_id UUID,
    campaign_id UUID,
    team_id UUID,
    agent_id UUID,
    assigned_at BIGINT NOT NULL
);
CREATE INDEX assignments_agent ON assignments (client_id, agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX assignments_team ON assignments (client_id, team_id) WHERE team_id IS NOT NULL;

CREATE INDEX debtors_overdue ON debtors (client_id, oldest_due_day, id) WHERE overdue_minor > 0;
