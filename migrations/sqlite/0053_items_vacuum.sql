-- PostgreSQL leaves entries without a row in its indices until a table is vacuumed; SQLite has none.
SELECT 1;
