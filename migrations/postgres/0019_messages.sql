-- Messages and strategies: what goes out, what comes in, what is planned.
CREATE TABLE text_templates (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    channel TEXT NOT NULL,
    language TEXT NOT NULL,
    tone TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    provider_name TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (client_id, name, channel, language)
);

-- What each version said, as JSON.
CREATE TABLE text_template_versions (
    template_id UUID NOT NULL REFERENCES text_templates (id),
    version BIGINT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (template_id, version)
);

CREATE TABLE strategies (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    trigger_on TEXT NOT NULL,
    segment TEXT NOT NULL,
    steps TEXT NOT NULL,
    champion_id UUID,
    share_pct BIGINT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX strategies_client ON strategies (client_id, id);

CREATE TABLE strategy_versions (
    strategy_id UUID NOT NULL REFERENCES strategies (id),
    version BIGINT NOT NULL,
    said TEXT NOT NULL,
    PRIMARY KEY (strategy_id, version)
);

-- lease_until: a node is at it until then.
CREATE TABLE messages (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    debt_id UUID,
    point_id UUID,
    address TEXT,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    template_id UUID,
    template_version BIGINT NOT NULL,
    strategy_id UUID,
    strategy_version BIGINT NOT NULL,
    step TEXT NOT NULL,
    plan_key TEXT,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    tries BIGINT NOT NULL,
    gateway TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    cost_micro BIGINT NOT NULL,
    currency TEXT,
    verdict_id UUID,
    reply_to UUID,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at BIGINT,
    delivered_at BIGINT,
    read_at BIGINT,
    answered_at BIGINT,
    ended_at BIGINT,
    lease_until BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX messages_plan ON messages (client_id, plan_key) WHERE plan_key IS NOT NULL;
CREATE INDEX messages_due ON messages (due_at, id) WHERE state = 'queued';
CREATE INDEX messages_sending ON messages (lease_until) WHERE state = 'sending';
CREATE INDEX messages_debtor ON messages (debtor_id, id);
CREATE INDEX messages_client ON messages (client_id, id);
CREATE INDEX messages_provider ON messages (provider_ref) WHERE provider_ref <> '';
CREATE INDEX messages_address ON messages (address, channel, sent_at) WHERE address IS NOT NULL;
CREATE INDEX messages_strategy ON messages (strategy_id, state) WHERE strategy_id IS NOT NULL;

CREATE TABLE inbox (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID REFERENCES clients (id),
    debtor_id UUID REFERENCES debtors (id),
    message_id UUID,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    body TEXT NOT NULL,
    gateway TEXT NOT NULL,
    provider_ref TEXT NOT NULL,
    state TEXT NOT NULL,
    optout BOOLEAN NOT NULL,
    received_at BIGINT NOT NULL,
    handled_at BIGINT,
    handled_by TEXT NOT NULL,
    UNIQUE (gateway, provider_ref)
);
CREATE INDEX inbox_client ON inbox (client_id, id);
CREATE INDEX inbox_debtor ON inbox (debtor_id, id) WHERE debtor_id IS NOT NULL;
CREATE INDEX inbox_address ON inbox (address, channel, received_at);

CREATE TABLE planned_steps (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    debt_id UUID,
    strategy_id UUID NOT NULL,
    strategy_version BIGINT NOT NULL,
    step TEXT NOT NULL,
    action TEXT NOT NULL,
    campaign_id UUID,
    plan_key TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    ended_by TEXT NOT NULL,
    UNIQUE (client_id, plan_key)
);
CREATE INDEX planned_steps_due ON planned_steps (due_at, id) WHERE state = 'planned';
CREATE INDEX planned_steps_client ON planned_steps (client_id, due_at, id);
CREATE INDEX planned_steps_debtor ON planned_steps (debtor_id, due_at, id);

-- Dates that steps are counted from.
CREATE INDEX debts_due ON debts (client_id, due_day, id) WHERE status = 'open';
CREATE INDEX promises_alive ON promises (client_id, due_day, id) WHERE state = 'active';
