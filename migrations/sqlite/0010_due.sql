-- Who is due, who may be called, who is on a list: kept so that nobody has to walk what is not.

-- part: place in the campaign's mix. awake: his time had come when he was last looked at; the order index
-- holds no others, so that a reservation never walks those who wait.
ALTER TABLE campaign_items ADD COLUMN part BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaign_items ADD COLUMN awake BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX campaign_items_order;
CREATE INDEX campaign_items_order ON campaign_items
    (campaign_id, part, priority DESC, rank1 DESC, rank2 DESC, rank3 DESC, rank4 DESC, debtor_id, next_at)
    WHERE NOT done AND awake;
CREATE INDEX campaign_items_parts ON campaign_items (campaign_id, part) WHERE part > 0 AND NOT done;
CREATE INDEX campaign_items_asleep ON campaign_items (campaign_id, next_at) WHERE NOT done AND NOT awake;

-- A document as lists are compared (0008).
ALTER TABLE debtors ADD COLUMN listed_form TEXT NOT NULL DEFAULT '';
UPDATE debtors SET listed_form = upper(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(document, '.', ''), '-', ''), ' ', ''), '/', ''), '_', ''), ',', ''), '+', ''), '(', ''), ')', ''), '''', ''));
CREATE INDEX debtors_listed ON debtors (listed_form);
-- Who owes in several currencies: their sums by currency ask their debts.
CREATE INDEX debtors_mixed ON debtors (client_id) WHERE open_currency = '*';
-- Marks of the law that are missing (null) or over.
CREATE INDEX debtors_marks ON debtors (callable_until) WHERE open_debts > 0;

-- Debtors of whom an external list holds a phone, an address or the document. Lists are kept as keyed
-- hashes, which SQL cannot make.
CREATE TABLE dnc_hits (
    list_id BLOB NOT NULL,
    debtor_id BLOB NOT NULL,
    PRIMARY KEY (list_id, debtor_id)
);
CREATE INDEX dnc_hits_debtor ON dnc_hits (debtor_id);

-- What each version of a segment said, kept by the database itself.
CREATE TABLE segment_versions (
    segment_id BLOB NOT NULL,
    version BIGINT NOT NULL,
    client_id BLOB NOT NULL,
    name TEXT NOT NULL,
    expression TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    PRIMARY KEY (segment_id, version)
);
CREATE INDEX segments_name ON segments (client_id, name);
INSERT INTO segment_versions (segment_id, version, client_id, name, expression, saved_at)
    SELECT id, version, client_id, name, expression, updated_at FROM segments;
CREATE TRIGGER segments_saved AFTER INSERT ON segments BEGIN
    INSERT INTO segment_versions (segment_id, version, client_id, name, expression, saved_at)
    VALUES (NEW.id, NEW.version, NEW.client_id, NEW.name, NEW.expression, NEW.updated_at)
    ON CONFLICT (segment_id, version) DO NOTHING;
END;
CREATE TRIGGER segments_changed AFTER UPDATE ON segments BEGIN
    INSERT INTO segment_versions (segment_id, version, client_id, name, expression, saved_at)
    VALUES (NEW.id, NEW.version, NEW.client_id, NEW.name, NEW.expression, NEW.updated_at)
    ON CONFLICT (segment_id, version) DO NOTHING;
END;
