//! A message of a call whose trail is kept.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| voice::fuzzing::trail(data));
