-- A campaign's order is a queue: whoever is taken leaves an entry without a row at its front, which each reservation goes
-- past until the table is vacuumed. By PostgreSQL's defaults that is once a fifth of it has changed (200,000 of a million
-- items), and after as long it is counted.
ALTER TABLE campaign_items SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_analyze_scale_factor = 0.02);
