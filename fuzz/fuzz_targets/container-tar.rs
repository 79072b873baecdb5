//! See `keysieve_fuzz::targets::container`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| keysieve_fuzz::targets::container::tar(data));
