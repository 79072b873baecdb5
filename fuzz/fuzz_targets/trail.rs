//! See `keysieve_fuzz::targets::trail`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::trail::run(data));
