//! See `keysieve_fuzz::targets::hook`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::hook::run(data));
