//! Fuzzes [`waypost_fuzz::rules`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waypost_fuzz::rules(data));
