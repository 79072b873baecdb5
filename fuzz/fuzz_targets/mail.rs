//! See `keysieve_fuzz::targets::mail`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::mail::run(data));
