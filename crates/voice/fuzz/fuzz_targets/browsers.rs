//! Datagrams of strangers at the browsers' port.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| voice::fuzzing::browsers_port(data));
