//! Clicks on their way from the redirect path to a store, none lost and none counted twice.
//!
//! ```text
//! workers ── record ──▶ buffers ──▶ writer thread ──▶ journal (write ≤ 10 ms, sync ≤ 100 ms)
//!                                        └──▶ backlog ──▶ shipper thread ──▶ Sink
//! ```
//!
//! [`Recorder::record`] never waits, locks or allocates; what it can't take is counted as dropped.
#![forbid(unsafe_code)]

mod queue;
mod raw;

pub mod limits;

pub use queue::{Drain, Recorder, queue};
