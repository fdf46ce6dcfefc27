-- What a file that is being accepted changes of debtors who were there before, until it is in as a whole. kind:
-- 'rows' (rows of the file, JSON), 'recall' (ids of debts, JSON). rows: how many.
CREATE TABLE import_aside (
    import_id BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    place BIGINT NOT NULL,
    kind TEXT NOT NULL,
    rows BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (import_id, place)
);

-- The unique key of debtors begins with the portfolio; a document is found by the form in which it is compared.
-- Each index that follows no order costs an import a page for each row.
DROP INDEX debtors_portfolio;
DROP INDEX debtors_document;
