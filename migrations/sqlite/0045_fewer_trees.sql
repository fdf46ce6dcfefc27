-- What a file of a million rows writes a second time, in an order of its own, costs it as much as all that it says.

-- A person's row is what leases stand on: it is there once somebody comes into a campaign or is called, and not for
-- each debtor. Items and attempts go on to need it; debtors do not, and SQLite takes a foreign key away by the text
-- of the table alone (https://www.sqlite.org/lang_altertable.html, section 7): what is stored stays as it is.
PRAGMA writable_schema=ON;
UPDATE sqlite_master SET sql=replace(sql, 'person_id BLOB NOT NULL REFERENCES persons (id)', 'person_id BLOB NOT NULL')
    WHERE type='table' AND name='debtors';
PRAGMA writable_schema=RESET;
CREATE TRIGGER campaign_items_person BEFORE INSERT ON campaign_items BEGIN
    INSERT INTO persons (id) VALUES (NEW.person_id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER attempts_person BEFORE INSERT ON attempts BEGIN
    INSERT INTO persons (id) VALUES (NEW.person_id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER campaign_items_another BEFORE UPDATE OF person_id ON campaign_items BEGIN
    INSERT INTO persons (id) VALUES (NEW.person_id) ON CONFLICT (id) DO NOTHING;
END;
CREATE TRIGGER attempts_another BEFORE UPDATE OF person_id ON attempts BEGIN
    INSERT INTO persons (id) VALUES (NEW.person_id) ON CONFLICT (id) DO NOTHING;
END;

-- A reference is unique in its portfolio, and found there: a client has few.
DROP INDEX debtors_reference;
DROP INDEX debts_reference;

-- Rows of a file lie in the order of its lines, and by nothing else.
CREATE TABLE import_lines (
    import_id BLOB NOT NULL REFERENCES imports (id),
    line BIGINT NOT NULL,
    debtor_id BLOB NOT NULL,
    before_image TEXT NOT NULL,
    PRIMARY KEY (import_id, line)
) WITHOUT ROWID;
INSERT INTO import_lines SELECT import_id, line, debtor_id, before_image FROM import_changes ORDER BY import_id, line;
DROP TABLE import_changes;
ALTER TABLE import_lines RENAME TO import_changes;

-- Balances come in no order: an index of a few hundred steps of them (the number of digits, then the first two)
-- grows at the ends of these.
DROP INDEX debtors_balance;
CREATE INDEX debtors_balance ON debtors (client_id,
    (CASE WHEN balance_minor<=0 THEN 0 ELSE length(balance_minor)*100+substr(balance_minor,1,2) END));

-- Who is overdue is found by the day since when: one order for both.
DROP INDEX debtors_overdue;
DROP INDEX debtors_days;
CREATE INDEX debtors_days ON debtors (client_id, oldest_due_day, id);
