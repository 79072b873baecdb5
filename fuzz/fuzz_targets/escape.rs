//! See `keyfence_fuzz::targets::escape`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::escape::run(data));
