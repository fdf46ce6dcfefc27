-- The floor: call-backs, rests of caller ids, templates, who works whom, the morning list.
CREATE INDEX campaign_items_callbacks ON campaign_items (next_at, campaign_id, debtor_id)
    WHERE NOT done AND priority >= 20;

CREATE TABLE caller_rests (
    caller_id BLOB PRIMARY KEY NOT NULL REFERENCES caller_ids (id),
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    reason TEXT NOT NULL,
    calls BIGINT NOT NULL,
    answered BIGINT NOT NULL
);

CREATE TABLE campaign_templates (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB REFERENCES clients (id),
    name TEXT NOT NULL,
    note TEXT NOT NULL,
    params TEXT NOT NULL,
    made_by BLOB,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE assignment_rules (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    segment_id BLOB NOT NULL,
    target TEXT NOT NULL,
    campaign_id BLOB,
    team_id BLOB,
    agents TEXT NOT NULL,
    most BIGINT,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX assignment_rules_client ON assignment_rules (client_id, id);

CREATE TABLE assignments (
    debtor_id BLOB PRIMARY KEY NOT NULL REFERENCES debtors (id),
    client_id BLOB NOT NULL REFERENCES clients (id),
    rule_id BLOB,
    campaign_id BLOB,
    team_id BLOB,
    agent_id BLOB,
    assigned_at BIGINT NOT NULL
);
CREATE INDEX assignments_agent ON assignments (client_id, agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX assignments_team ON assignments (client_id, team_id) WHERE team_id IS NOT NULL;

CREATE INDEX debtors_overdue ON debtors (client_id, oldest_due_day, id) WHERE overdue_minor > 0;
