//! See `keyfence_fuzz::targets::config`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::config::run(data));
