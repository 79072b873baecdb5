//! See `keysieve_fuzz::targets::escape`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::escape::run(data));
