-- A rule of assignment may ask for skills, and for the debtor's language.
ALTER TABLE assignment_rules ADD COLUMN skills TEXT NOT NULL DEFAULT '[]';
ALTER TABLE assignment_rules ADD COLUMN by_language BOOLEAN NOT NULL DEFAULT FALSE;
