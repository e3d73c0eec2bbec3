//! The in-memory index that a redirect reads: (domain, code) to link, and the small nouns beside.
//!
//! Readers never wait: a lookup hashes, loads one arc-swapped table of 256, follows one atomic
//! slot into an append-only arena and borrows the entry for as long as a closure runs. One writer
//! applies the change feed: a changed link is a new entry and one atomic store, whatever the
//! number of links. What updates leave behind is reclaimed by rebuilding one table of 256 and
//! swapping it in, so that neither readers nor the feed notice.
//!
//! The index knows no store, no JSON and no HTTP, holds no clock but for its own age, and never
//! blocks a reader. Nothing thread-bound leaves it.
//!
//! ```
//! use waypost_index::Index;
//! use waypost_link::*;
//! let index = Index::new();
//! let slug = Slug::parse("hi").unwrap();
//! let to = Destination::parse("https://example.com/", &Schemes::default()).unwrap();
//! let mut link = Link::new(WorkspaceId(1), DomainId::DEFAULT, slug, to, Timestamp(0));
//! (link.id, link.version) = (LinkId(1), 1);
//! index.apply(Revision(1), &[Change::CreateLink(Box::new(link))]);
//! let length = index.with(DomainId::DEFAULT, "hi", |entry| entry.destination.len());
//! assert_eq!(length, Some(20));
//! ```

mod arena;
mod details;
mod directory;
mod entry;
mod ground;
mod index;
mod limit;
pub mod limits;
mod line;
mod loader;
mod members;
#[cfg(all(test, feature = "model"))]
mod model;
mod rotation;
mod shard;
mod sync;
mod table;
mod writer;

pub use details::Details;
pub use directory::{Directory, Host, Tenant};
pub use entry::Entry;
pub use index::{Index, Stats};
pub use limit::{Lent, Limit, Spend, Spent};
pub use loader::Loader;
pub use rotation::Rotation;
