-- Once 5,000 items have changed is about once a minute while a campaign of a million is dialed, and each time PostgreSQL
-- goes through all indices of the table: two seconds of a core, in which each step of a call waits for the other one. In
-- pieces of 200 pages with 10 ms between them it takes ten seconds and a twentieth of a core.
ALTER TABLE campaign_items SET (autovacuum_vacuum_cost_delay = 10, autovacuum_vacuum_cost_limit = 200);
