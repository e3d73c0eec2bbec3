//! A part of the index as readers see it: one table at a time, and where its memory is.
//!
//! The addresses are for prefetching: nobody reads through them, so they need no guard, and one
//! that is out of date does no harm. That is what makes asking ahead cheaper than looking up.

use std::{ops::Deref, ptr::without_provenance, sync::Arc};

use crate::{
    arena::prefetch,
    limits::SHARDS,
    line::Line,
    sync::{ArcSwap, AtomicUsize, Ordering},
    table::{Table, line_number},
};

pub(crate) struct Shard {
    table: ArcSwap<Table>,
    /// The address of the table, and that of its lines and how many there are.
    at: AtomicUsize,
    lines: AtomicUsize,
    count: AtomicUsize,
}

impl Shard {
    /// The number of the shard that keys of this hash are in.
    #[inline]
    pub(crate) const fn of(hash: u64) -> usize {
        (hash >> 56) as usize % SHARDS
    }

    pub(crate) fn new(table: &Arc<Table>) -> Self {
        let shard = Self {
            table: ArcSwap::new(Arc::clone(table)),
            at: AtomicUsize::new(0),
            lines: AtomicUsize::new(0),
            count: AtomicUsize::new(0),
        };
        shard.note(table);
        shard
    }

    /// The table, for as long as the guard is held.
    #[inline]
    pub(crate) fn load(&self) -> impl Deref<Target = Arc<Table>> + use<> {
        self.table.load()
    }

    /// Puts another table in the place of the one that it gives back. One thread only.
    pub(crate) fn swap(&self, table: Arc<Table>) -> Arc<Table> {
        self.note(&table);
        self.table.swap(table)
    }

    /// Asks for what finding a key of this hash reads first.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let [at, lines, count] =
            [&self.at, &self.lines, &self.count].map(|place| place.load(Ordering::Relaxed));
        prefetch(without_provenance::<Table>(at));
        let line = lines.wrapping_add(line_number(hash, 0, count) * size_of::<Line>());
        prefetch(without_provenance::<Line>(line));
    }

    fn note(&self, table: &Arc<Table>) {
        let lines = table.lines();
        self.at.store(Arc::as_ptr(table).addr(), Ordering::Relaxed);
        self.lines.store(lines.as_ptr().addr(), Ordering::Relaxed);
        self.count.store(lines.len(), Ordering::Relaxed);
    }
}
