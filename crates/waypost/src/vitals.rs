//! What metrics show of a running engine. Reading it blocks nobody.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use waypost_clicks::Pipeline;
use waypost_index::Index;

use crate::follower::Health;

/// A view of the counters of a [`Waypost`](crate::Waypost).
#[derive(Clone)]
pub struct Vitals {
    index: Arc<Index>,
    pipeline: Arc<Pipeline>,
    health: Arc<Health>,
}

impl Vitals {
    pub(crate) fn new(index: Arc<Index>, pipeline: Arc<Pipeline>, health: Arc<Health>) -> Self {
        Self { index, pipeline, health }
    }

    /// What the index holds.
    pub fn index(&self) -> waypost_index::Stats {
        self.index.stats()
    }

    /// How long ago the index was last known to be up to date.
    pub fn index_age(&self) -> Duration {
        self.index.age()
    }

    /// What the click pipeline counts.
    pub fn clicks(&self) -> waypost_clicks::Stats {
        self.pipeline.stats()
    }

    /// Failed calls of the store: of the follower, and of the click writer.
    pub fn store_errors(&self) -> [(&'static str, u64); 2] {
        [("follow", self.health.errors.load(Relaxed)), ("append", self.clicks().sink_errors)]
    }

    /// Whether the store answered the last time it was asked.
    pub fn store_answers(&self) -> bool {
        self.health.reachable.load(Relaxed)
    }

    /// Whether the store answers, but takes no changes: it is read-only, or its disk is full. Only nodes of a store that
    /// others share know: they write to it every two seconds.
    pub fn store_refuses(&self) -> bool {
        self.store_answers() && self.health.refuses.load(Relaxed)
    }

    /// Whether the index still is what the local snapshot had at the start.
    pub fn on_snapshot(&self) -> bool {
        self.health.from_snapshot.load(Relaxed)
    }

    /// Links in which the index was found to differ from the store, and was repaired.
    pub fn index_repairs(&self) -> u64 {
        self.health.repairs.load(Relaxed)
    }
}
