-- Interest by the rule of a portfolio, how far it is in the figures of each debt, postal addresses, agents' time.
CREATE TABLE interest_rules (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    portfolio_id UUID NOT NULL REFERENCES portfolios (id),
    from_day BIGINT NOT NULL,
    rate_bp BIGINT NOT NULL CHECK (rate_bp >= 0),
    year_days BIGINT NOT NULL CHECK (year_days IN (360, 365)),
    grace_days BIGINT NOT NULL CHECK (grace_days >= 0),
    cap_bp BIGINT,
    made_by UUID,
    made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX interest_rules_day ON interest_rules (portfolio_id, from_day);

CREATE TABLE accruals (
    debt_id UUID PRIMARY KEY NOT NULL,
    upto_day BIGINT NOT NULL,
    rest BIGINT NOT NULL,
    booked_minor BIGINT NOT NULL
);

CREATE TABLE addresses (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    street TEXT NOT NULL,
    city TEXT NOT NULL,
    region TEXT NOT NULL,
    postcode TEXT NOT NULL,
    country TEXT NOT NULL,
    zone TEXT,
    source TEXT NOT NULL,
    bad BOOLEAN NOT NULL,
    added_at BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL
);
CREATE INDEX addresses_debtor ON addresses (debtor_id, id);

-- Time of agents by state, as the log of events tells it.
CREATE TABLE agent_spells (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL,
    agent_id UUID NOT NULL,
    state TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL
);
CREATE INDEX agent_spells_client ON agent_spells (client_id, from_at);
