//! Room: dialer.
