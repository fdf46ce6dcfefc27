-- What a client's contract asks beyond the law, version by version: a decision is made again with that of its time.
CREATE TABLE client_laws (
    client_id BLOB NOT NULL REFERENCES clients (id),
    version BIGINT NOT NULL,
    terms TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by TEXT NOT NULL,
    PRIMARY KEY (client_id, version)
);
