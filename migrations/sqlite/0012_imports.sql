-- Files on their way in: size once whole (0 before), the placement that their new debts belong to.
ALTER TABLE imports ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE imports ADD COLUMN placement_id BLOB;
CREATE INDEX imports_portfolio ON imports (portfolio_id, id);

-- A column map that a portfolio remembers, by the fingerprint of the header.
CREATE TABLE import_maps (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    portfolio_id BLOB NOT NULL REFERENCES portfolios (id),
    fingerprint TEXT NOT NULL,
    columns TEXT NOT NULL,
    map TEXT NOT NULL,
    used_at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    UNIQUE (portfolio_id, fingerprint)
);

-- When we first had a point.
ALTER TABLE contact_points ADD COLUMN added_at BIGINT NOT NULL DEFAULT 0;
UPDATE contact_points SET added_at=(SELECT d.created_at FROM debtors d WHERE d.id=contact_points.debtor_id);

-- Debtor files made one. merged_into: where a file's debts and points are now. moved: table and ids, JSON.
ALTER TABLE debtors ADD COLUMN merged_into BLOB;
CREATE INDEX debtors_merged ON debtors (merged_into) WHERE merged_into IS NOT NULL;
CREATE TABLE merges (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    kept_id BLOB NOT NULL REFERENCES debtors (id),
    gone_id BLOB NOT NULL REFERENCES debtors (id),
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    undone_at BIGINT,
    undone_by TEXT,
    moved TEXT NOT NULL
);
CREATE INDEX merges_kept ON merges (kept_id);
CREATE INDEX merges_gone ON merges (gone_id);

-- What the client handed over on a date. fee_bp: hundredths of a percent of what is recovered.
CREATE TABLE placements (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    portfolio_id BLOB NOT NULL REFERENCES portfolios (id),
    placed_on TEXT NOT NULL,
    recall_on TEXT,
    fee_bp BIGINT NOT NULL,
    recalled_at BIGINT,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL
);
CREATE INDEX placements_portfolio ON placements (portfolio_id, id);
ALTER TABLE debts ADD COLUMN placement_id BLOB;
CREATE INDEX debts_placement ON debts (placement_id) WHERE placement_id IS NOT NULL;
