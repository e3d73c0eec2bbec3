//! A store, whichever backend it is, by the faces of the contract.

use std::sync::Arc;

use waypost_storage::{ClickStore, LinkStore, Maintain, Transfer};

/// An open store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    /// Links, the small nouns, the feed.
    pub links: Arc<dyn LinkStore>,
    /// Clicks and their roll-ups.
    pub clicks: Arc<dyn ClickStore>,
    /// What the operator asks.
    pub maintain: Arc<dyn Maintain>,
    /// What moves to another store.
    pub transfer: Arc<dyn Transfer>,
    /// Whether other nodes may work on it: each then says that it is there.
    pub shared: bool,
}

impl Store {
    /// The store behind any backend that has all faces, for one node alone.
    pub fn of<S: LinkStore + ClickStore + Maintain + Transfer + 'static>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            links: store.clone(),
            clicks: store.clone(),
            maintain: store.clone(),
            transfer: store,
            shared: false,
        }
    }

    /// This store, for any number of nodes.
    #[must_use]
    pub fn shared(self) -> Self {
        Self { shared: true, ..self }
    }

    /// Opens the embedded store in `dir`, which is made where it is missing; several processes may
    /// have it open.
    ///
    /// # Errors
    /// `Unusable` (the directory, a newer format), `Corrupt`, `Full`.
    #[cfg(feature = "lmdb")]
    pub fn lmdb(
        dir: &std::path::Path,
        options: &waypost_lmdb::Options,
    ) -> waypost_storage::Result<Self> {
        Ok(Self::of(waypost_lmdb::LmdbStore::open(dir, options)?))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}
