//! See `keysieve_fuzz::targets::evidence`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::evidence::run(data));
