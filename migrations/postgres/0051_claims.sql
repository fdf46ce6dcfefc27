-- Payments that debtors say they made: open until one of theirs is found to be it, or it was looked for and is not there.
CREATE TABLE claims (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    attempt_id UUID NOT NULL,
    agent_id UUID,
    paid_on TEXT NOT NULL,
    channel TEXT NOT NULL,
    proof BOOLEAN NOT NULL,
    made_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    payment_id UUID,
    reason TEXT NOT NULL,
    ended_by TEXT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX claims_debtor ON claims (debtor_id, id);
CREATE INDEX claims_state ON claims (client_id, state, id);
