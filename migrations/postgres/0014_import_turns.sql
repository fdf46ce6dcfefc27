-- Who works on a file, of all processes, and until when unless he says so again.
ALTER TABLE imports ADD COLUMN worker TEXT;
ALTER TABLE imports ADD COLUMN worker_until BIGINT NOT NULL DEFAULT 0;
-- Files that are half in the portfolio.
CREATE INDEX imports_half ON imports (id) WHERE state IN ('accepting', 'undoing');

-- The file that made a debtor: he counts for nobody while it is half in.
ALTER TABLE debtors ADD COLUMN made_by UUID;

CREATE INDEX placements_due ON placements (recall_on) WHERE recalled_at IS NULL AND recall_on IS NOT NULL;
CREATE INDEX assignments_ruled ON assignments (client_id, debtor_id) WHERE rule_id IS NOT NULL;
CREATE INDEX complaints_urgency ON complaints (client_id, deadline, id);
