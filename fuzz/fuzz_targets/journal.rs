//! Fuzzes [`waypost_fuzz::journal`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| waypost_fuzz::journal(data));
