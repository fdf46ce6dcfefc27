-- The audit as a chain of hashes for each client (tenant '' = the installation): every row of it names the one
-- before, and the heads say where each chain ends.
CREATE TABLE audit_chain (
    tenant TEXT NOT NULL,
    seq BIGINT NOT NULL,
    cursor BIGINT NOT NULL,
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (tenant, seq)
);
CREATE UNIQUE INDEX audit_chain_cursor ON audit_chain (cursor);
CREATE TABLE audit_heads (
    tenant TEXT PRIMARY KEY NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);
CREATE TRIGGER audit_chain_no_update BEFORE UPDATE ON audit_chain BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;
CREATE TRIGGER audit_chain_no_delete BEFORE DELETE ON audit_chain BEGIN SELECT RAISE(ABORT, 'audit_chain is append-only'); END;
