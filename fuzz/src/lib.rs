//! Fuzz targets: one function a target, so that the fuzzer and the replay test run the same.
//!
//! Each takes bytes as a stranger or a broken disk would give them, and checks what must hold of
//! every input beyond not panicking.

#![forbid(unsafe_code)]

mod http;
mod stored;
mod text;

pub use http::{chunked, request};
pub use stored::{batch, journal};
pub use text::{rules, slug};

/// Every target by name, for the replay.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("batch", batch),
    ("chunked", chunked),
    ("journal", journal),
    ("request", request),
    ("rules", rules),
    ("slug", slug),
];
