//! Criterion benches.
#![forbid(unsafe_code)]
