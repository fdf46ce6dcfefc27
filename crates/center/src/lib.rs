//! Room: center.
