-- What the law asks of the number that a call shows, and presumptions that a person relaxed for one call.
ALTER TABLE caller_ids ADD COLUMN signed BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE caller_ids ADD COLUMN callback_at BIGINT;

CREATE TABLE law_overrides (
    id UUID PRIMARY KEY NOT NULL,
    client_id UUID NOT NULL REFERENCES clients (id),
    debtor_id UUID NOT NULL REFERENCES debtors (id),
    rule TEXT NOT NULL,
    reason TEXT NOT NULL,
    granted_by TEXT NOT NULL,
    granted_right TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    until BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX law_overrides_debtor ON law_overrides (debtor_id);
