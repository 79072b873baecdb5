//! See `keysieve_fuzz::targets::loose`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::loose::run(data));
