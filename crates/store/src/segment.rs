//! Segments as SQL.
