-- Files with an open debt by how long nobody confirmed one of their usable points: when the oldest of these was
-- confirmed, -1 without a usable phone, null without an open debt. The indices hold all that is asked to count.
ALTER TABLE debtors ADD COLUMN point_confirmed_at BIGINT;
UPDATE debtors SET point_confirmed_at=(SELECT
        CASE WHEN COUNT(CASE WHEN x.channel='call' THEN 1 END)=0 THEN -1
            ELSE MIN(CASE WHEN x.last_rpc_at>x.added_at THEN x.last_rpc_at ELSE x.added_at END) END
        FROM contact_points x WHERE x.debtor_id=debtors.id AND NOT x.bad)
    WHERE open_debts>0;
CREATE INDEX debtors_points ON debtors (client_id, point_confirmed_at, id) WHERE point_confirmed_at IS NOT NULL;
CREATE INDEX debtors_portfolio_points ON debtors (portfolio_id, point_confirmed_at, id)
    WHERE point_confirmed_at IS NOT NULL;
