//! See `keysieve_fuzz::targets::triage`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::triage::run(data));
