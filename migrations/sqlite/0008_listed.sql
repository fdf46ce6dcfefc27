-- What is listed, as it is compared: digits of a phone, letters and digits of a document in capitals.
ALTER TABLE suppressions ADD COLUMN listed_form TEXT NOT NULL DEFAULT '';
UPDATE suppressions SET listed_form = CASE kind
    WHEN 'email' THEN lower(trim(value))
    ELSE upper(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(value, '.', ''), '-', ''), ' ', ''), '/', ''), '_', ''), ',', ''), '+', ''), '(', ''), ')', ''), '''', '')) END;
CREATE INDEX suppressions_listed ON suppressions (listed_form);
