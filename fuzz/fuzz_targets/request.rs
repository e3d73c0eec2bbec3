//! Fuzzes [`waypost_fuzz::request`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waypost_fuzz::request(data));
