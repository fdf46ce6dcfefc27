-- A segment asks each debtor for the stage of his debts: found in the index alone.
DROP INDEX debt_stages_debtor;
CREATE INDEX debt_stages_debtor ON debt_stages (debtor_id, stage);
