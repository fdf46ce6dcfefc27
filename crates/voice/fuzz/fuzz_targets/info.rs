//! Keys by INFO: the type in the first line, then the body.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| voice::fuzzing::info(data));
