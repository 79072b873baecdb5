//! See `keyfence_fuzz::targets::hook`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keyfence_fuzz::targets::hook::run(data));
