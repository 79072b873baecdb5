//! See `keysieve_fuzz::targets::report`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::report::run(data));
