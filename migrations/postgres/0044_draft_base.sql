-- The version in force when a draft of a campaign was begun.
ALTER TABLE campaign_versions ADD COLUMN based_on BIGINT;
