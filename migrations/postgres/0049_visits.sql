-- Visits in person: planned with the law's leave and a row of the ledger, which bears the visit's identity, and what came
-- of them.
CREATE TABLE visits (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    address_id UUID NOT NULL,
    debts TEXT NOT NULL,
    planned_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    verdict_id UUID NOT NULL,
    made_by TEXT NOT NULL,
    made_at BIGINT NOT NULL,
    visited_at BIGINT,
    outcome TEXT,
    result TEXT,
    note TEXT NOT NULL,
    reason TEXT NOT NULL,
    ended_by TEXT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX visits_debtor ON visits (debtor_id, id);
