-- A debt's statute date (prescripción) with its day number since 1970-01-01, the first one of a debtor's open
-- debts, and the one that the person named for a stage was told of.
ALTER TABLE debts ADD COLUMN statute_date TEXT;
ALTER TABLE debts ADD COLUMN statute_day BIGINT;
ALTER TABLE debtors ADD COLUMN statute_day BIGINT;
ALTER TABLE debt_stages ADD COLUMN statute_told TEXT;
CREATE INDEX debts_statute ON debts (client_id, statute_day, id) WHERE status = 'open' AND statute_day IS NOT NULL;
CREATE INDEX debt_stages_statute ON debt_stages (statute_told) WHERE statute_told IS NOT NULL;
