//! Import: column maps and validation of one row.
