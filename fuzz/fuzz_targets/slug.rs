//! Fuzzes [`waypost_fuzz::slug`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waypost_fuzz::slug(data));
