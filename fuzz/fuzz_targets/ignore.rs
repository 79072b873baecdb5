//! See `keyfence_fuzz::targets::ignore`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::ignore::run(data));
