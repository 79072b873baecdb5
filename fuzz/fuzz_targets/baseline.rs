//! See `keysieve_fuzz::targets::baseline`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::baseline::run(data));
