-- The version in force when a draft of a campaign was begun.
ALTER TABLE campaign_versions ADD COLUMN based_on BIGINT;
-- Visits, as few as there are: what segments count over a while.
CREATE INDEX ledger_visits ON ledger (debtor_id, at) WHERE kind = 'visit';
-- Whether debtor files of one document are still to become one: asked for with an acceptance, done once the file is in.
ALTER TABLE imports ADD COLUMN merges BOOLEAN NOT NULL DEFAULT FALSE;
