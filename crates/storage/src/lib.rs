//! The storage contract: what a backend keeps, and every question that is asked of it.
//!
//! Small, synchronous, object-safe traits: [`LinkStore`] for links and the small nouns,
//! [`ClickStore`] (with its write half, [`Sink`]) for clicks and their roll-ups, [`Maintain`] for
//! the operator, [`Transfer`] for moving to another backend. Beside them stand a memory model that says in the plainest code what they mean,
//! a decorator that makes any store fail on purpose, and the conformance suite that every backend
//! passes case by case. Nothing here knows a file, a socket or a dialect.
//!
//! The model and the decorator are behind the feature `testing`, the suite behind `conformance`:
//! no shipped binary carries them.
//!
//! Callers block: only boot, the service lane, the follower and the click writer may call a store.
#![forbid(unsafe_code)]

mod batch;
mod click;
pub mod codec;
mod counting;
mod error;
mod link;
mod maintain;
mod pace;
mod positions;
mod query;
mod sketch;
mod snapshot;
mod tally;
pub mod transfer;
mod window;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(any(test, feature = "testing"))]
pub mod fault;
pub mod limits;
#[cfg(any(test, feature = "testing"))]
pub mod memory;

pub use batch::{Address, Batch, BatchBuilder, BatchError, Row, Text};
pub use click::{
    Appended, ClickStore, Conversion, Epoch, Event, Inserted, Mark, NewClick, Recorded, Sink,
    StoredClick, Trim, Trimmed,
};
pub use counting::{AgentDetails, Hit, REDIRECT, ReadAgent, country_text};
pub use error::{Error, Result};
pub use link::{Committed, Facet, Feed, LinkStore};
pub use maintain::{Finding, Maintain, Report};
pub use pace::Pace;
pub use positions::Positions;
pub use query::{
    ClickQuery, ClickScope, LinkCountQuery, LinkQuery, Order, Page, RecordQuery, TallyQuery,
    page_limit,
};
pub use sketch::Sketch;
pub use snapshot::{Snapshot, SpentPage, Stamp};
pub use tally::{Bucket, Counts, Detail, Dimension, Grain, LinkCount, Scope, Share, Totals};
pub use transfer::Transfer;
pub use window::{Window, window};
