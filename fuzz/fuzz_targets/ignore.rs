//! See `keysieve_fuzz::targets::ignore`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::ignore::run(data));
