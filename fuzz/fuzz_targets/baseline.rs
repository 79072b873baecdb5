//! See `keyfence_fuzz::targets::baseline`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::baseline::run(data));
