//! [`Known`]: clicks go, and the feed comes, only where the store is the one that this data
//! directory belongs to. A node that started while its store was away finds out when it is back.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use waypost_link::Timestamp;
use waypost_storage::{Appended, Batch, Epoch, Error, Mark, Result, Sink};

use crate::{Store, identity};

/// A store that is the expected one, or is asked whether it is.
pub(crate) struct Known {
    store: Store,
    expected: [u8; 16],
    seen: AtomicBool,
}

impl Known {
    /// `store`, which carries the number `expected`; `seen` where that was looked at.
    pub(crate) fn new(store: Store, expected: [u8; 16], seen: bool) -> Self {
        Self { store, expected, seen: AtomicBool::new(seen) }
    }

    /// The store.
    ///
    /// # Errors
    /// `Unusable` where it is another one, `Unavailable` where it can't be asked.
    pub(crate) fn store(&self) -> Result<&Store> {
        if self.seen.load(Relaxed) {
            return Ok(&self.store);
        }
        if identity::store(&*self.store.links)? != Some(self.expected) {
            let why = "the store is not the one that the data directory belongs to";
            return Err(Error::Unusable(why.to_owned()));
        }
        self.seen.store(true, Relaxed);
        Ok(&self.store)
    }
}

impl Sink for Known {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        self.store()?.clicks.append(mark, batch)
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        self.store()?.clicks.durable(epoch)
    }

    fn behind(&self) -> Option<Timestamp> {
        self.store.clicks.behind()
    }

    fn flush(&self) -> Result<()> {
        self.store()?.clicks.flush()
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.store()?.clicks.forget_epoch(epoch)
    }
}
