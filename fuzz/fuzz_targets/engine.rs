//! See `keysieve_fuzz::targets::engine`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::engine::run(data));
