//! Room: voice.
