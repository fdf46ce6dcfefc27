-- What segments count over a while, by when it was; the usable addresses of e-mail; each as small as what happened.
CREATE INDEX attempts_identified ON attempts (identity_at, debtor_id) WHERE identity_at IS NOT NULL;
CREATE INDEX messages_sent_to ON messages (sent_at, debtor_id) WHERE sent_at IS NOT NULL;
CREATE INDEX promises_broken ON promises (closed_at, debtor_id) WHERE state = 'broken';
CREATE INDEX contact_points_emails ON contact_points (debtor_id) WHERE channel = 'email' AND NOT bad;
