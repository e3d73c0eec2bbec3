//! What the pipeline counts of itself.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::limits;

/// The pipeline's counters, in clicks since its start where nothing else is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stats {
    /// Taken by the writer.
    pub recorded: u64,
    /// Not recorded: every buffer was full.
    pub dropped: u64,
    /// Waiting for the writer in full buffers, now.
    pub depth: u64,
    /// Written to the journal.
    pub journaled: u64,
    /// Not written to the journal because of an I/O error: they went on in memory alone.
    pub unjournaled: u64,
    /// Taken by the store, counted by it for the first time.
    pub shipped: u64,
    /// Of these, clicks of deleted links, which the store did not keep.
    pub discarded: u64,
    /// Offered to the store once more than it took them.
    pub duplicate: u64,
    /// Read from segments of earlier starts.
    pub replayed: u64,
    /// Lost after they were recorded: dropped with the oldest segments past the journal's bound,
    /// damaged on disk, or neither journal nor memory had room.
    pub lost: u64,
    /// Places in the journal that were damaged.
    pub damaged: u64,
    /// Bytes of torn frames at the ends of segments.
    pub torn_bytes: u64,
    /// Bytes of the journal, now.
    pub journal_bytes: u64,
    /// I/O errors of the journal.
    pub journal_errors: u64,
    /// Errors of the store.
    pub sink_errors: u64,
    /// The journal's trouble, while it lasts.
    pub journal_error: Option<String>,
    /// The store's trouble, while it lasts.
    pub sink_error: Option<String>,
    /// Age of the oldest click that the store has not taken; zero where there is none.
    pub lag: Duration,
}

/// The counters that the threads share.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) journaled: Counter,
    pub(crate) unjournaled: Counter,
    pub(crate) shipped: Counter,
    pub(crate) discarded: Counter,
    pub(crate) duplicate: Counter,
    pub(crate) replayed: Counter,
    pub(crate) lost: Counter,
    pub(crate) damaged: Counter,
    pub(crate) torn_bytes: Counter,
    pub(crate) journal: Trouble,
    pub(crate) sink: Trouble,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Errors of one kind: counted, the last one kept while it lasts, logged now and then.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
    pub(crate) errors: Counter,
    last: Mutex<(Option<String>, Rarely)>,
}

impl Trouble {
    pub(crate) fn report(&self, what: &str, error: &dyn std::fmt::Display) {
        self.errors.add(1);
        let (last, rarely) = &mut *self.last.lock();
        if rarely.now() {
            tracing::warn!(%error, "{what}");
        }
        *last = Some(format!("{what}: {error}"));
    }

    pub(crate) fn over(&self) {
        self.last.lock().0 = None;
    }

    pub(crate) fn last(&self) -> Option<String> {
        self.last.lock().0.clone()
    }
}

/// Says yes at most once in [`limits::LOG_EVERY`].
#[derive(Debug, Default)]
pub(crate) struct Rarely(Option<Instant>);

impl Rarely {
    pub(crate) fn now(&mut self) -> bool {
        let now = Instant::now();
        let yes = self.0.is_none_or(|last| now.duration_since(last) >= limits::LOG_EVERY);
        if yes {
            self.0 = Some(now);
        }
        yes
    }
}
