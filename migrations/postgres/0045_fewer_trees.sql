-- A reference is unique in its portfolio, and found there: a client has few.
DROP INDEX debtors_reference;
DROP INDEX debts_reference;

-- Who is overdue is found by the day since when: one order for both.
DROP INDEX debtors_overdue;
DROP INDEX debtors_days;
CREATE INDEX debtors_days ON debtors (client_id, oldest_due_day, id);
