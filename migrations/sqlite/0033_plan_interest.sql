-- What of the balance a plan was drawn on is interest: a plan that freezes interest forgives what arose since.
ALTER TABLE plans ADD COLUMN interest_minor BIGINT NOT NULL DEFAULT 0;
UPDATE plans SET interest_minor=(SELECT d.interest_minor FROM debts d WHERE d.id=plans.debt_id)
    WHERE state IN ('offered','approved','signed','active');
CREATE INDEX plans_debt ON plans (debt_id, id);
