-- Money as it comes in, how it is spread over debts, and the links by which debtors pay.
CREATE TABLE receipts (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    source TEXT NOT NULL,
    reference TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    left_minor BIGINT NOT NULL,
    returned_minor BIGINT NOT NULL,
    paid_at BIGINT NOT NULL,
    channel TEXT NOT NULL,
    concept TEXT NOT NULL,
    document TEXT NOT NULL,
    debtor_id BLOB,
    file_id BLOB,
    state TEXT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (client_id, reference)
);
CREATE INDEX receipts_reference ON receipts (reference);
CREATE INDEX receipts_queue ON receipts (client_id, state, id);
CREATE INDEX receipts_file ON receipts (file_id) WHERE file_id IS NOT NULL;
CREATE INDEX receipts_debtor ON receipts (debtor_id) WHERE debtor_id IS NOT NULL;

CREATE TABLE payment_parts (
    payment_id BLOB PRIMARY KEY NOT NULL REFERENCES payments (id),
    debt_id BLOB NOT NULL,
    reverses BLOB,
    receipt_id BLOB,
    fees_minor BIGINT NOT NULL,
    interest_minor BIGINT NOT NULL,
    principal_minor BIGINT NOT NULL,
    excess_minor BIGINT NOT NULL,
    overdue_minor BIGINT NOT NULL
);
CREATE INDEX payment_parts_reverses ON payment_parts (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX payment_parts_receipt ON payment_parts (receipt_id) WHERE receipt_id IS NOT NULL;
CREATE INDEX payments_client ON payments (client_id, id);

CREATE TABLE money_policies (
    client_id BLOB PRIMARY KEY NOT NULL REFERENCES clients (id),
    spread TEXT NOT NULL,
    parts TEXT NOT NULL,
    creditor_data TEXT NOT NULL,
    version BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE payment_links (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    debtor_id BLOB NOT NULL REFERENCES debtors (id),
    debt_id BLOB NOT NULL REFERENCES debts (id),
    amount_minor BIGINT NOT NULL,
    currency TEXT NOT NULL,
    point_id BLOB,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    session TEXT,
    session_url TEXT,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    opened_at BIGINT,
    paid_at BIGINT
);
CREATE INDEX payment_links_debtor ON payment_links (debtor_id, id);
CREATE INDEX payment_links_client ON payment_links (client_id, id);
CREATE INDEX payment_links_open ON payment_links (expires_at) WHERE state IN ('created', 'opened');

CREATE TABLE webhook_notes (
    provider TEXT NOT NULL,
    event_id TEXT NOT NULL,
    what TEXT NOT NULL,
    money TEXT,
    amount_minor BIGINT,
    currency TEXT,
    done BOOLEAN NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (provider, event_id)
);
CREATE INDEX webhook_notes_waiting ON webhook_notes (provider, money) WHERE NOT done;

CREATE TABLE bank_files (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    format TEXT NOT NULL,
    state TEXT NOT NULL,
    row_count BIGINT NOT NULL,
    posted BIGINT NOT NULL,
    unmatched BIGINT NOT NULL,
    repeated BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    not_money BIGINT NOT NULL,
    made_by TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (client_id, sha256)
);
CREATE INDEX debts_reference ON debts (client_id, external_ref);
CREATE INDEX promises_amount ON promises (client_id, amount_minor) WHERE state = 'active';
