//! Packets of a browser behind its finished check: DTLS and SRTP.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| voice::fuzzing::past_ice(data));
