#![no_main]
#[path = "../bodies/wav.rs"]
mod body;
libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
