-- Terms of clients, plans with their instalments, stages, excuses, letters.
CREATE TABLE policies (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    version BIGINT NOT NULL,
    terms TEXT NOT NULL,
    note TEXT NOT NULL,
    made_by BLOB,
    made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX policies_version ON policies (client_id, version);

CREATE TABLE plans (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    debt_id BLOB NOT NULL REFERENCES debts (id),
    attempt_id BLOB,
    agent_id BLOB,
    currency TEXT NOT NULL,
    balance_minor BIGINT NOT NULL,
    quita_minor BIGINT NOT NULL,
    agreed_minor BIGINT NOT NULL,
    freeze_interest BOOLEAN NOT NULL,
    early_off_minor BIGINT NOT NULL,
    early_until BIGINT,
    lapses BOOLEAN NOT NULL,
    policy_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    asked_until BIGINT,
    needs_role TEXT,
    ask_reason TEXT,
    answered_by BLOB,
    answer_reason TEXT,
    document_sha256 TEXT,
    accepted_channel TEXT,
    accepted_identity TEXT,
    made_at BIGINT NOT NULL,
    signed_at BIGINT,
    closed_at BIGINT,
    CHECK (balance_minor = agreed_minor + quita_minor)
);
CREATE INDEX plans_debtor ON plans (debtor_id, id);
CREATE INDEX plans_client ON plans (client_id, id);
CREATE INDEX plans_asked ON plans (asked_until) WHERE state = 'offered';
CREATE UNIQUE INDEX plans_one_live ON plans (debt_id)
    WHERE state IN ('offered', 'approved', 'signed', 'active');

CREATE TABLE instalments (
    id BLOB PRIMARY KEY NOT NULL,
    plan_id BLOB NOT NULL REFERENCES plans (id),
    position BIGINT NOT NULL,
    due_date TEXT NOT NULL,
    grace_until BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    paid_minor BIGINT NOT NULL,
    state TEXT NOT NULL
);
CREATE UNIQUE INDEX instalments_plan ON instalments (plan_id, position);
CREATE INDEX instalments_due ON instalments (grace_until) WHERE state = 'due';

CREATE TABLE plan_documents (
    plan_id BLOB NOT NULL REFERENCES plans (id),
    language TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    pdf_hex TEXT NOT NULL,
    PRIMARY KEY (plan_id, language)
);

CREATE TABLE debt_stages (
    debt_id BLOB PRIMARY KEY NOT NULL REFERENCES debts (id),
    client_id BLOB NOT NULL REFERENCES clients (id),
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    stage TEXT NOT NULL,
    entered_at BIGINT NOT NULL,
    deadline BIGINT,
    owner_id BLOB,
    late_at BIGINT,
    moved_by TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX debt_stages_client ON debt_stages (client_id, stage, debt_id);
CREATE INDEX debt_stages_debtor ON debt_stages (debtor_id);
CREATE INDEX debt_stages_deadline ON debt_stages (deadline) WHERE deadline IS NOT NULL;

CREATE TABLE excuses (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    promise_id BLOB,
    attempt_id BLOB NOT NULL,
    agent_id BLOB,
    kind TEXT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX excuses_debtor ON excuses (debtor_id, at);
CREATE INDEX excuses_client ON excuses (client_id, at);

CREATE TABLE letter_templates (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    level TEXT NOT NULL,
    language TEXT NOT NULL,
    version BIGINT NOT NULL,
    letterhead TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    made_by BLOB,
    made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX letter_templates_version ON letter_templates (client_id, level, language, version);

CREATE TABLE letter_batches (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    segment_id BLOB NOT NULL,
    level TEXT NOT NULL,
    state TEXT NOT NULL,
    total BIGINT NOT NULL,
    done BIGINT NOT NULL,
    made BIGINT NOT NULL,
    left_out BIGINT NOT NULL,
    fault TEXT,
    made_by BLOB,
    made_at BIGINT NOT NULL
);
CREATE INDEX letter_batches_client ON letter_batches (client_id, id);

CREATE TABLE letters (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    debt_id BLOB NOT NULL REFERENCES debts (id),
    batch_id BLOB NOT NULL REFERENCES letter_batches (id),
    level TEXT NOT NULL,
    language TEXT NOT NULL,
    template_id BLOB NOT NULL,
    letterhead TEXT NOT NULL,
    addressee TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    dated TEXT NOT NULL,
    made_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX letters_batch ON letters (batch_id, debt_id);
CREATE INDEX letters_debtor ON letters (debtor_id, id);
