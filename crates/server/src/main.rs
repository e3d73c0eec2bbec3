//! The binary `waypost`.
#![forbid(unsafe_code)]

fn main() {}
