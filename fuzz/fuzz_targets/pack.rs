//! See `keysieve_fuzz::targets::pack`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::pack::run(data));
