-- What came in over the last days on debts that stood open before them: a row a portfolio, currency and bucket, measured
-- anew each morning. The share that a segment's debts may be expected to bring is read from here.
CREATE TABLE recovery_sums (
    portfolio_id UUID NOT NULL REFERENCES portfolios (id),
    client_id UUID NOT NULL REFERENCES clients (id),
    currency TEXT NOT NULL,
    bucket BIGINT NOT NULL,
    day BIGINT NOT NULL,
    debts BIGINT NOT NULL,
    balance_minor BIGINT NOT NULL,
    recovered_minor BIGINT NOT NULL,
    PRIMARY KEY (portfolio_id, currency, bucket)
);
