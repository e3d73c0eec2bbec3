//! Clicks on their way from the redirect path to a store, none lost and none counted twice.
//!
//! ```text
//! workers ── record ──▶ buffers ──▶ writer thread ──▶ journal (write ≤ 10 ms, sync ≤ 100 ms)
//!                                        └──▶ backlog ──▶ shipper thread ──▶ Sink
//! ```
//!
//! [`Recorder::record`] never waits, locks or allocates; what it can't take is counted as dropped.
//! The writer journals and goes on whatever the store does; the shipper feeds the store in order
//! and, while it is away, reads the journal back later. A killed process loses what was not yet
//! written; the next start ships the rest, and the store knows each batch by its epoch and number.
//! Nothing here knows a store beyond [`waypost_storage::Sink`].
#![forbid(unsafe_code)]

mod backlog;
mod header;
mod memo;
#[cfg(all(test, feature = "model"))]
mod model;
mod pipeline;
mod queue;
mod raw;
mod shipper;
mod stats;
mod sync;
mod syncer;
mod visitor;
mod writer;

pub mod journal;
pub mod limits;

#[cfg(test)]
mod tests;

pub use header::host_of_referrer;
pub use pipeline::{Config, Pipeline, StartError};
pub use queue::{Drain, Recorder, queue};
pub use stats::Stats;
pub use visitor::{AgentHash, Visitors};
