-- What plans forgave of debts, and took back; what a provider said about one piece of money; what a bank took
-- back.
CREATE TABLE forgiven (
    id UUID PRIMARY KEY NOT NULL,
    plan_id UUID NOT NULL REFERENCES plans (id),
    debt_id UUID NOT NULL,
    fees_minor BIGINT NOT NULL,
    interest_minor BIGINT NOT NULL,
    principal_minor BIGINT NOT NULL,
    overdue_minor BIGINT NOT NULL,
    at BIGINT NOT NULL
);
CREATE INDEX forgiven_debt ON forgiven (debt_id, at);
CREATE INDEX webhook_notes_money ON webhook_notes (provider, money) WHERE money IS NOT NULL;
ALTER TABLE bank_files ADD COLUMN taken_back BIGINT NOT NULL DEFAULT 0;
CREATE INDEX receipts_amount ON receipts (client_id, amount_minor);
