//! The LMDB backend: an embedded store in one directory, for one or several processes.
//!
//! Links and clicks are two LMDB environments, so that neither waits for the other's writes, and
//! nothing atomic spans both. All writes of an environment happen on one thread of this process,
//! which gathers what waits into one durable commit; other processes take turns by LMDB's own
//! lock. Values are versioned, compact and checksummed; a decoder never panics.
//!
//! [`tables`](self) has the schema on one screen. Never used: `NO_SYNC`, `MAPASYNC`, `WRITE_MAP`.

mod check;
mod clicks;
mod environment;
mod fault;
mod feed;
mod header;
mod keys;
pub mod limits;
mod plan;
mod query;
mod read;
mod snapshot;
mod steps;
mod store;
mod tables;
mod transfer;
mod turn;
mod write;
mod writer;

use waypost_storage::codec;

pub use snapshot::LmdbSnapshot;
pub use store::{LmdbStore, Options};
