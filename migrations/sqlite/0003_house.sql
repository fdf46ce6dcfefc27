-- People who sign in, nodes, the event log and its outbox.
CREATE TABLE teams (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id BLOB PRIMARY KEY NOT NULL,
    username TEXT NOT NULL UNIQUE,
    display_name TEXT NOT NULL,
    role TEXT NOT NULL,
    client_id BLOB,
    password_hash TEXT NOT NULL,
    totp_secret TEXT,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE agents (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL,
    team_id BLOB,
    name TEXT NOT NULL,
    sip_user TEXT NOT NULL UNIQUE,
    sip_password TEXT NOT NULL,
    campaigns TEXT NOT NULL,
    skills TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX agents_user ON agents (user_id);

CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL,
    refresh_hash TEXT NOT NULL UNIQUE,
    expires_at BIGINT NOT NULL
);

-- Refresh tokens used up: one of them coming again ends its family.
CREATE TABLE sessions_spent (
    refresh_hash TEXT PRIMARY KEY NOT NULL,
    session_id BLOB NOT NULL REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX sessions_spent_session ON sessions_spent (session_id);

CREATE TABLE api_keys (
    id BLOB PRIMARY KEY NOT NULL,
    user_id BLOB NOT NULL,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    client_id BLOB,
    key_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT
);

CREATE TABLE login_failures (
    account TEXT PRIMARY KEY NOT NULL,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
);

CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    status BIGINT NOT NULL,
    body TEXT NOT NULL,
    request_hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (owner, idem_key)
);
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE nodes (
    name TEXT PRIMARY KEY NOT NULL,
    fence BIGINT NOT NULL,
    until BIGINT NOT NULL
);

CREATE TABLE settings (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);

CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE,
    at BIGINT NOT NULL,
    client_id BLOB,
    actor TEXT NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    data TEXT NOT NULL,
    schema BIGINT NOT NULL
);
CREATE INDEX events_subject ON events (subject, cursor);

-- Events not yet handed to the bus.
CREATE TABLE outbox (
    cursor INTEGER PRIMARY KEY NOT NULL
);

-- Events are append-only for every user of the database.
CREATE TRIGGER events_no_update BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
CREATE TRIGGER events_no_delete BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'ledger is append-only'); END;
CREATE TRIGGER verdicts_no_update BEFORE UPDATE ON verdicts BEGIN SELECT RAISE(ABORT, 'verdicts is append-only'); END;
CREATE TRIGGER verdicts_no_delete BEFORE DELETE ON verdicts BEGIN SELECT RAISE(ABORT, 'verdicts is append-only'); END;
