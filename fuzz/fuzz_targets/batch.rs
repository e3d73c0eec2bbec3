//! Fuzzes [`waypost_fuzz::batch`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waypost_fuzz::batch(data));
