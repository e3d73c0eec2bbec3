//! The names of links that a file has brought so far, in 8 bytes each.

use std::{
    collections::HashSet,
    hash::{BuildHasher as _, RandomState},
};

use waypost_link::Name;

/// A set of names, kept as their hashes: of ten million, two are taken for one once in a hundred
/// thousand runs.
#[derive(Default)]
pub(super) struct Names {
    hasher: RandomState,
    hashes: HashSet<u64>,
}

impl Names {
    /// Adds a name; false where it was there.
    pub(super) fn insert(&mut self, name: &Name) -> bool {
        self.hashes.insert(self.hasher.hash_one(name))
    }

    /// Whether a name was added.
    pub(super) fn contains(&self, name: &Name) -> bool {
        self.hashes.contains(&self.hasher.hash_one(name))
    }
}
