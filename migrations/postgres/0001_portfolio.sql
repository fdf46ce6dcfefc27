-- Who owes what to whom, and how he may be reached.
-- Ids UUIDv7, instants epoch ms UTC, money in minor units, lists as JSON text.
CREATE TABLE clients (
    id UUID PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    callback_number TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE portfolios (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    currency TEXT NOT NULL,
    creditor_kind TEXT NOT NULL,
    zone TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (client_id, name)
);

CREATE TABLE imports (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    portfolio_id UUID NOT NULL REFERENCES portfolios (id),
    at BIGINT NOT NULL,
    report TEXT NOT NULL
);

-- The human being behind debtors of several clients. The lease stands here, so that two campaigns,
-- clients or nodes can never hold the same person.
CREATE TABLE persons (
    id UUID PRIMARY KEY NOT NULL,
    lease_campaign UUID,
    lease_debtor UUID,
    lease_node TEXT,
    lease_fence BIGINT,
    lease_until BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX persons_leased ON persons (lease_node) WHERE lease_node IS NOT NULL;

-- The columns behind updated_at are kept by the store: a lot for the random order, sums over the open
-- debts and the usable phones (order of campaigns, segments), the last attempt.
CREATE TABLE debtors (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    portfolio_id UUID NOT NULL REFERENCES portfolios (id),
    person_id UUID NOT NULL REFERENCES persons (id),
    external_ref TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    document TEXT NOT NULL,
    country TEXT NOT NULL,
    subdivision TEXT,
    language TEXT NOT NULL,
    address_zone TEXT,
    told_zone TEXT,
    told_zone_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    lot BIGINT NOT NULL,
    open_debts BIGINT NOT NULL DEFAULT 0,
    balance_minor BIGINT NOT NULL DEFAULT 0,
    overdue_minor BIGINT NOT NULL DEFAULT 0,
    oldest_due_day BIGINT,
    phones BIGINT NOT NULL DEFAULT 0,
    confidence BIGINT NOT NULL DEFAULT 0,
    last_attempt_at BIGINT,
    UNIQUE (portfolio_id, external_ref)
);
CREATE INDEX debtors_client ON debtors (client_id, id);
CREATE INDEX debtors_days ON debtors (client_id, oldest_due_day);
CREATE INDEX debtors_balance ON debtors (client_id, balance_minor);
CREATE INDEX debtors_portfolio ON debtors (portfolio_id);
CREATE INDEX debtors_person ON debtors (person_id);
CREATE INDEX debtors_reference ON debtors (external_ref);
CREATE INDEX debtors_document ON debtors (document);

-- due_day is due_date as a day number since 1970-01-01.
CREATE TABLE debts (
    id UUID PRIMARY KEY NOT NULL,
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    portfolio_id UUID NOT NULL REFERENCES portfolios (id),
    external_ref TEXT NOT NULL,
    product TEXT NOT NULL,
    currency TEXT NOT NULL,
    principal_minor BIGINT NOT NULL,
    interest_minor BIGINT NOT NULL,
    fees_minor BIGINT NOT NULL,
    overdue_minor BIGINT NOT NULL,
    minimum_minor BIGINT NOT NULL,
    due_date TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    due_day BIGINT,
    UNIQUE (portfolio_id, external_ref)
);
CREATE INDEX debts_debtor ON debts (debtor_id);

CREATE TABLE parties (
    id UUID PRIMARY KEY NOT NULL,
    debt_id UUID NOT NULL REFERENCES debts (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    role TEXT NOT NULL,
    name TEXT NOT NULL
);
CREATE INDEX parties_debt ON parties (debt_id);
CREATE INDEX parties_debtor ON parties (debtor_id);

CREATE TABLE contact_points (
    id UUID PRIMARY KEY NOT NULL,
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    role TEXT NOT NULL,
    channel TEXT NOT NULL,
    value TEXT NOT NULL,
    class TEXT NOT NULL,
    source TEXT NOT NULL,
    given_by_debtor BOOLEAN NOT NULL,
    authorised BOOLEAN NOT NULL,
    confidence BIGINT NOT NULL,
    position BIGINT NOT NULL,
    bad BOOLEAN NOT NULL,
    last_rpc_at BIGINT
);
CREATE INDEX contact_points_debtor ON contact_points (debtor_id);
CREATE INDEX contact_points_value ON contact_points (value);

CREATE TABLE consents (
    id UUID PRIMARY KEY NOT NULL,
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    until BIGINT,
    revoked_at BIGINT,
    proof TEXT NOT NULL
);
CREATE INDEX consents_debtor ON consents (debtor_id);

CREATE TABLE holds (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    scope TEXT NOT NULL,
    debt_id UUID,
    point_id UUID,
    channel TEXT,
    kind TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    until BIGINT,
    lifted_at BIGINT,
    evidence TEXT NOT NULL
);
CREATE INDEX holds_debtor ON holds (debtor_id);

CREATE TABLE suppressions (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID,
    debtor_id UUID,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    lifted_at BIGINT
);
CREATE INDEX suppressions_value ON suppressions (value);

CREATE TABLE segments (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    expression TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE promises (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    debt_id UUID NOT NULL REFERENCES debts (id),
    attempt_id UUID,
    agent_id UUID,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    due_date TEXT NOT NULL,
    grace_until BIGINT NOT NULL,
    channel TEXT NOT NULL,
    state TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    closed_at BIGINT
);
CREATE INDEX promises_debtor ON promises (debtor_id);
CREATE INDEX promises_due ON promises (grace_until) WHERE state = 'active';
CREATE UNIQUE INDEX promises_one_active ON promises (debt_id) WHERE state = 'active';

CREATE TABLE payments (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    debt_id UUID NOT NULL REFERENCES debts (id),
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    paid_at BIGINT NOT NULL,
    channel TEXT NOT NULL,
    reference TEXT NOT NULL,
    reverses UUID,
    posted_at BIGINT NOT NULL,
    UNIQUE (client_id, reference)
);
CREATE INDEX payments_debtor ON payments (debtor_id);
CREATE INDEX payments_debt ON payments (debt_id);
