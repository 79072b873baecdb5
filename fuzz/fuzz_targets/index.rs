//! See `keyfence_fuzz::targets::index`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::index::run(data));
