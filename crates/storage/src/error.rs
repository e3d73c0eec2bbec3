//! One error, named by what the caller can do about it.

use waypost_link::Claim;

/// A result of a store.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a store did not do what was asked. Whatever it is, nothing of the call was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Somebody else holds what a change claims: choose another.
    #[error("change {index}: {claim:?} is taken by {holder}")]
    Taken {
        /// Which change of the commit, from 0.
        index: usize,
        /// What is taken.
        claim: Box<Claim>,
        /// The id of the object that holds it; 0 for a scope.
        holder: u64,
    },
    /// The object was changed since it was read: read it again and decide anew.
    #[error("change {index}: the object was changed meanwhile")]
    Stale {
        /// Which change of the commit, from 0.
        index: usize,
    },
    /// The object of a change does not exist.
    #[error("change {index}: no such object")]
    Missing {
        /// Which change of the commit, from 0.
        index: usize,
    },
    /// No room: the map, the disk or a limit. Make room; nothing was damaged.
    #[error("no room: {0}")]
    Full(String),
    /// The store can't be reached or is stopped: try again later.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The history asked for was trimmed: load everything anew.
    #[error("the history before revision {oldest} is gone")]
    Gone {
        /// The oldest revision that can still be replayed after.
        oldest: u64,
    },
    /// What is stored can't be what was written: restore a backup.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// What is stored was written by a newer version, or may not be written: use another binary,
    /// directory or user.
    #[error("{0}")]
    Unusable(String),
}
