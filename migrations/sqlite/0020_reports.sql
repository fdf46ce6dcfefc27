-- Goals, and how debts stood on the mornings of their lives: what figures over a period are counted from.
CREATE TABLE goals (
    id BLOB PRIMARY KEY NOT NULL,
    client_id BLOB NOT NULL REFERENCES clients (id),
    portfolio_id BLOB REFERENCES portfolios (id),
    team_id BLOB,
    agent_id BLOB,
    kind TEXT NOT NULL,
    currency TEXT NOT NULL,
    target BIGINT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    ended_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX goals_client ON goals (client_id, to_day);

-- Days since 1970, both of local mornings; until_day is 1000000 while the mark holds. bucket: 0 is preventive,
-- 1 to 7 the overdue ones, -1 paid, -2 gone.
CREATE TABLE debt_marks (
    debt_id BLOB NOT NULL REFERENCES debts (id),
    day BIGINT NOT NULL,
    until_day BIGINT NOT NULL,
    first_mark BOOLEAN NOT NULL,
    debtor_id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    portfolio_id BLOB NOT NULL,
    at BIGINT NOT NULL,
    bucket BIGINT NOT NULL,
    currency TEXT NOT NULL,
    balance_minor BIGINT NOT NULL,
    overdue_minor BIGINT NOT NULL,
    due_day BIGINT,
    PRIMARY KEY (debt_id, day)
);
CREATE INDEX debt_marks_held ON debt_marks (portfolio_id, until_day, day);
CREATE INDEX debt_marks_day ON debt_marks (portfolio_id, day);

CREATE INDEX debts_portfolio ON debts (portfolio_id, id);
CREATE INDEX payments_client_paid ON payments (client_id, paid_at);
CREATE INDEX promises_client_made ON promises (client_id, made_at);
CREATE INDEX promises_client_day ON promises (client_id, due_day);
CREATE INDEX promises_client_broken ON promises (client_id, closed_at, id) WHERE state = 'broken';
CREATE INDEX attempts_client_opened ON attempts (client_id, opened_at);
