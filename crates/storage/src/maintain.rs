//! [`Maintain`]: what the operator asks of a store.

use std::path::Path;

use crate::Result;

/// One place where the store contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The table or rule.
    pub place: String,
    /// What was found, and what was expected.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Links looked at.
    pub links: u64,
    /// Raw clicks looked at.
    pub clicks: u64,
    /// Deleted links whose clicks still wait to be purged: no error.
    pub purges_pending: u64,
    /// Contradictions, at most [`limits::FINDINGS`](crate::limits::FINDINGS).
    pub findings: Vec<Finding>,
}

/// What the operator asks of a store.
pub trait Maintain: Send + Sync {
    /// Holds the store against itself: indexes and counters of links, totals = Σ days = Σ hours,
    /// and = raw clicks where all are kept.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` where it can't even be read.
    fn check(&self) -> Result<Report>;

    /// A consistent copy in `dir`, which must be empty or absent, while everything goes on.
    ///
    /// # Errors
    /// `Full`, `Unusable` (the directory), `Unavailable`.
    fn backup(&self, dir: &Path) -> Result<()>;

    /// Whether the store can be read and written now.
    ///
    /// # Errors
    /// Why it can't.
    fn ping(&self) -> Result<()>;
}
