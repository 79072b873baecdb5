//! See `keyfence_fuzz::targets::engine`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::engine::run(data));
