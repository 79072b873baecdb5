//! See `keysieve_fuzz::targets::decode`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::decode::run(data));
