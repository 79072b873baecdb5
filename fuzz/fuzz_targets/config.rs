//! See `keysieve_fuzz::targets::config`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::config::run(data));
