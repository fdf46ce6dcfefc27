-- Figures beside a debtor that segments read, so that a filter over a million asks no other table.
-- open_currency: the currency of the open debts, empty without any, '*' with several.
ALTER TABLE debtors ADD COLUMN principal_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN interest_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN fees_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN minimum_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN open_currency TEXT NOT NULL DEFAULT '';
ALTER TABLE debtors ADD COLUMN mobiles BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN given_phones BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN authorised_phones BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN last_rpc_at BIGINT;
ALTER TABLE debtors ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN last_result TEXT NOT NULL DEFAULT '';
ALTER TABLE debtors ADD COLUMN last_disposition TEXT NOT NULL DEFAULT '';
ALTER TABLE debtors ADD COLUMN promises_active BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN promises_kept BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN promises_broken BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN promised_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN promise_due_day BIGINT;
ALTER TABLE debtors ADD COLUMN payments BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN paid_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE debtors ADD COLUMN last_paid_at BIGINT;
-- What a client's file tells; no model of ours.
ALTER TABLE debtors ADD COLUMN score BIGINT;
-- When the law lets him be called, as it was last asked.
ALTER TABLE debtors ADD COLUMN callable_from BIGINT;
ALTER TABLE debtors ADD COLUMN callable_until BIGINT;

ALTER TABLE promises ADD COLUMN due_day BIGINT;

CREATE INDEX debtors_lot ON debtors (client_id, lot);
DROP INDEX attempts_opened;
CREATE INDEX attempts_opened ON attempts (opened_at, debtor_id);
CREATE INDEX payments_paid ON payments (paid_at, debtor_id, amount_minor);

UPDATE debtors SET
    (principal_minor, interest_minor, fees_minor, minimum_minor, open_currency)=(SELECT
        COALESCE(SUM(x.principal_minor),0), COALESCE(SUM(x.interest_minor),0),
        COALESCE(SUM(x.fees_minor),0), COALESCE(SUM(x.minimum_minor),0),
        COALESCE(CASE WHEN MIN(x.currency)=MAX(x.currency) THEN MIN(x.currency) ELSE '*' END,'')
        FROM debts x WHERE x.debtor_id=debtors.id AND x.status='open'),
    (mobiles, given_phones, authorised_phones)=(SELECT
        COUNT(CASE WHEN x.class='mobile' THEN 1 END), COUNT(CASE WHEN x.given_by_debtor THEN 1 END),
        COUNT(CASE WHEN x.authorised THEN 1 END)
        FROM contact_points x WHERE x.debtor_id=debtors.id AND x.channel='call' AND NOT x.bad),
    last_rpc_at=(SELECT MAX(x.last_rpc_at) FROM contact_points x WHERE x.debtor_id=debtors.id),
    attempts=(SELECT COUNT(*) FROM attempts x WHERE x.debtor_id=debtors.id),
    last_result=COALESCE((SELECT x.result FROM attempts x WHERE x.debtor_id=debtors.id
        ORDER BY x.opened_at DESC, x.id DESC LIMIT 1),''),
    last_disposition=COALESCE((SELECT x.disposition FROM attempts x WHERE x.debtor_id=debtors.id
        AND x.disposition IS NOT NULL AND x.disposed_at IS NOT NULL
        ORDER BY x.disposed_at DESC, x.id DESC LIMIT 1),'');
UPDATE debtors SET
    (promises_active, promises_kept, promises_broken, promised_minor)=(SELECT
        COUNT(CASE WHEN x.state='active' THEN 1 END), COUNT(CASE WHEN x.state='kept' THEN 1 END),
        COUNT(CASE WHEN x.state='broken' THEN 1 END),
        COALESCE(SUM(CASE WHEN x.state='active' THEN x.amount_minor END),0)
        FROM promises x WHERE x.debtor_id=debtors.id)
    WHERE id IN (SELECT debtor_id FROM promises);
UPDATE debtors SET
    (payments, paid_minor, last_paid_at)=(SELECT COUNT(*), COALESCE(SUM(x.amount_minor),0), MAX(x.paid_at)
        FROM payments x WHERE x.debtor_id=debtors.id)
    WHERE id IN (SELECT debtor_id FROM payments);
UPDATE promises SET due_day=due_date::date-DATE '1970-01-01' WHERE due_date ~ '^\d{4}-\d\d-\d\d$';
UPDATE debtors SET promise_due_day=(SELECT MIN(x.due_day) FROM promises x
    WHERE x.debtor_id=debtors.id AND x.state='active')
    WHERE promises_active>0;

-- Files on their way in. difference: what a file would change, as it was read; report: what it did.
ALTER TABLE imports ADD COLUMN file_name TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN state TEXT NOT NULL DEFAULT 'accepted';
ALTER TABLE imports ADD COLUMN map TEXT NOT NULL DEFAULT 'null';
ALTER TABLE imports ADD COLUMN gone TEXT NOT NULL DEFAULT 'keep';
ALTER TABLE imports ADD COLUMN accepted_at BIGINT;
ALTER TABLE imports ADD COLUMN undone_at BIGINT;
ALTER TABLE imports ADD COLUMN rows_done BIGINT NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN difference TEXT NOT NULL DEFAULT '{"rows":0,"debtors_new":0,"debtors_changed":0,"debts_new":0,"debts_changed":0,"points_new":0,"unchanged":0,"refused":0}';
ALTER TABLE imports ADD COLUMN faults TEXT NOT NULL DEFAULT '[]';
ALTER TABLE imports ADD COLUMN actor TEXT NOT NULL DEFAULT '';
CREATE INDEX imports_client ON imports (client_id, at);

-- The file itself until it is decided, base64.
CREATE TABLE import_pieces (
    import_id UUID NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    n BIGINT NOT NULL,
    piece TEXT NOT NULL,
    PRIMARY KEY (import_id, n)
);

-- What stood there before an import, by the line that changed it; empty for what the import made.
CREATE TABLE import_changes (
    import_id UUID NOT NULL REFERENCES imports (id),
    line BIGINT NOT NULL,
    debtor_id UUID NOT NULL,
    before_image TEXT NOT NULL,
    PRIMARY KEY (import_id, line)
);
