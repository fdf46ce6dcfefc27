//! RTP and RTCP of a leg's far end.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| voice::fuzzing::leg(data));
