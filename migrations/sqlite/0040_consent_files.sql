-- Files of consents: what a file is about, and the proof of a revocation beside that of the grant.
ALTER TABLE imports ADD COLUMN kind TEXT NOT NULL DEFAULT 'portfolio';
ALTER TABLE consents ADD COLUMN revoke_proof TEXT;
