-- PostgreSQL's own vacuum gives way to calls; SQLite needs none.
SELECT 1;
