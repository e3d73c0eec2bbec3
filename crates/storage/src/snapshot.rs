//! [`Snapshot`]: a node's own copy of what its index is loaded from, for when the store is away.

use waypost_link::{Link, LinkId, Noun, Record, Revision};

use crate::{Feed, Page, Result};

/// Of which store a snapshot is a copy, and of which state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The random number that the store carries.
    pub store: [u8; 16],
    /// The store's secret that keys visitor hashes.
    pub secret: [u8; 16],
    /// The last commit that the copy has.
    pub revision: Revision,
}

/// A page of links with the clicks that each limited one has spent; zero for all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpentPage {
    /// Links by id.
    pub page: Page<Link, LinkId>,
    /// As many as links.
    pub spent: Vec<u64>,
}

/// A node's own copy of links and of the records that redirects need, in its data directory.
///
/// It is no store: it takes no changes of its own and gives no ids. It is filled once
/// ([`clear`](Snapshot::clear), pages, the commits made meanwhile, [`finish`](Snapshot::finish)),
/// then follows the store's feed. Every call is one durable step, so whenever the process dies the
/// copy is one state of the store, or none.
pub trait Snapshot: Send + Sync {
    /// What it is a copy of; `None` where it is empty or was not finished.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`: as every read.
    fn stamp(&self) -> Result<Option<Stamp>>;

    /// A page of the records of a kind, by id.
    ///
    /// # Errors
    /// As every read.
    fn records(&self, noun: Noun, after: Option<u64>, limit: usize) -> Result<Page<Record, u64>>;

    /// A page of the links, by id.
    ///
    /// # Errors
    /// As every read.
    fn links(&self, after: Option<LinkId>, limit: usize) -> Result<SpentPage>;

    /// Forgets everything.
    ///
    /// # Errors
    /// `Full`, `Unavailable`: as every write.
    fn clear(&self) -> Result<()>;

    /// Adds records.
    ///
    /// # Errors
    /// As every write.
    fn add_records(&self, records: &[Record]) -> Result<()>;

    /// Adds links.
    ///
    /// # Errors
    /// As every write.
    fn add_links(&self, links: &[Link]) -> Result<()>;

    /// Applies commits in their order, of records only those of `nouns`. A finished copy is then
    /// one of the last one's state.
    ///
    /// # Errors
    /// As every write.
    fn follow(&self, feeds: &[Feed], nouns: &[Noun]) -> Result<()>;

    /// Notes how many clicks limited links have spent.
    ///
    /// # Errors
    /// As every write.
    fn note_spent(&self, spent: &[(LinkId, u64)]) -> Result<()>;

    /// Says that it is whole, and what it is a copy of.
    ///
    /// # Errors
    /// As every write.
    fn finish(&self, stamp: Stamp) -> Result<()>;
}
