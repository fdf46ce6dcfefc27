-- What is listed, as it is compared: digits of a phone, letters and digits of a document in capitals.
ALTER TABLE suppressions ADD COLUMN listed_form TEXT NOT NULL DEFAULT '';
UPDATE suppressions SET listed_form = CASE kind
    WHEN 'phone' THEN regexp_replace(value, '[^0-9]', '', 'g')
    WHEN 'email' THEN lower(btrim(value))
    ELSE upper(regexp_replace(value, '[^[:alnum:]]', '', 'g')) END;
CREATE INDEX suppressions_listed ON suppressions (listed_form);
