-- Due items of debts: parts of their principal with a day of their own. What of each is open follows from the
-- principal that is owed and is kept nowhere.
CREATE TABLE debt_items (
    debt_id BLOB NOT NULL REFERENCES debts (id),
    reference TEXT NOT NULL,
    due_date TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    PRIMARY KEY (debt_id, reference)
);
