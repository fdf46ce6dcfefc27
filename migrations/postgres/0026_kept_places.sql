-- Places in queues of callers who asked to be called back: which node keeps each. Should it die, whoever finds that
-- makes the call-back due at once, in the order in which they waited.
CREATE TABLE kept_places (
    campaign_id UUID NOT NULL,
    debtor_id UUID NOT NULL,
    node TEXT NOT NULL,
    fence BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, debtor_id)
);

-- Numbers that somebody called from, by when that was: those of callers who stayed unknown are forgotten.
CREATE INDEX contact_points_called_us ON contact_points (added_at) WHERE source = 'called_us';
