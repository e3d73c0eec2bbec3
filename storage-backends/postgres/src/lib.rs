//! The PostgreSQL backend: one database for many redirect nodes.
//!
//! Everything a node needs to know of another is in the database; nodes talk to nobody else. A
//! commit takes the one row of `state` first, so revisions are given and committed in one order
//! and whoever reads up to the head has missed nothing. NOTIFY shortens the wait for the next
//! revision, polling is the truth. Clicks go in by `COPY`, each batch once by its mark; roll-ups
//! are kept a row per writer, so that nodes never wait for each other's.
//!
//! The client is synchronous; callers block, as with every store. Migrations are embedded. The
//! schema is explained in `docs/postgres.md`.
#![forbid(unsafe_code)]

mod ask;
mod check;
mod clicks;
mod commit;
mod database;
mod fault;
mod limits;
mod listen;
mod migrate;
mod options;
mod patience;
mod plan;
mod pool;
mod query;
mod read;
mod socket;
mod store;
#[cfg(feature = "testing")]
pub mod testing;
mod tls;
mod transfer;
mod turn;
mod worker;

pub use migrate::{Migration, Migrations};
pub use options::Options;
pub use store::PostgresStore;
