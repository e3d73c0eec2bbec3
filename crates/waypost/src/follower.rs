//! The follower: one OS thread that brings the store's feed to the index, whoever wrote it.
//!
//! When the store is away the index stays as it is and redirects go on; the follower keeps asking.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::SyncSender,
    },
    thread::JoinHandle,
    time::Duration,
};

use waypost_clicks::Pipeline;
use waypost_index::Index;
use waypost_link::{Change, Link};
use waypost_storage::{Error, Feed, Result};

use crate::{Applied, Store, janitor::Task, load};

/// Longest wait for news; also how soon a stop is noticed.
const PATIENCE: Duration = Duration::from_millis(200);
/// Pause after an error.
const PAUSE: Duration = Duration::from_millis(500);
/// How long clicks in flight may take to be counted before a limit begins.
const SETTLE: Duration = Duration::from_millis(500);
/// Commits taken at once.
const FEED: usize = 1_000;

/// What the follower tells others.
#[derive(Debug, Default)]
pub(crate) struct Health {
    /// The store answered last time.
    pub(crate) reachable: AtomicBool,
    /// Calls that failed.
    pub(crate) errors: AtomicU64,
    /// The end has come.
    pub(crate) stop: AtomicBool,
}

/// Brings the feed of `store` to `index`, which was loaded.
pub(crate) struct Follower {
    pub(crate) store: Store,
    pub(crate) index: Arc<Index>,
    pub(crate) applied: Arc<Applied>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) janitor: SyncSender<Task>,
}

impl Follower {
    /// Starts its thread.
    pub(crate) fn start(self, health: Arc<Health>) -> std::io::Result<JoinHandle<()>> {
        let thread = std::thread::Builder::new().name("follower".to_owned());
        thread.spawn(move || self.run(&health))
    }

    fn run(&self, health: &Health) {
        while !health.stop.load(Relaxed) {
            match self.step() {
                Ok(()) => health.reachable.store(true, Relaxed),
                Err(error) => {
                    health.errors.fetch_add(1, Relaxed);
                    if health.reachable.swap(false, Relaxed) {
                        tracing::error!(%error, "the store does not answer; the index stays as it is");
                    }
                    std::thread::sleep(PAUSE);
                }
            }
        }
    }

    fn step(&self) -> Result<()> {
        let applied = self.index.applied();
        if self.store.links.wait(applied, PATIENCE)? <= applied {
            self.index.confirm();
            return Ok(());
        }
        let done = match self.store.links.replay(applied, FEED) {
            Ok(feeds) => feeds.iter().try_for_each(|feed| self.apply(feed)),
            Err(Error::Gone { oldest }) => {
                tracing::warn!(%applied, oldest, "the feed was trimmed; loading everything anew");
                load::load(&self.index, &*self.store.links, &*self.store.clicks)
            }
            Err(error) => Err(error),
        };
        self.applied.reach(self.index.applied());
        done
    }

    /// Clicks of a link that becomes limited are looked up before the limit is seen, so that its
    /// counter begins where the statistics stand.
    fn apply(&self, feed: &Feed) -> Result<()> {
        let limited: Vec<Link> = feed.changes.iter().filter_map(updated).cloned().collect();
        if !limited.is_empty() {
            self.pipeline.settle(SETTLE);
        }
        let spent = load::spent(&limited, &*self.store.clicks)?;
        let fresh = self.index.apply(feed.revision, &feed.changes);
        for (link, before) in limited.iter().zip(spent) {
            if fresh.contains(&link.id) {
                self.index.set_spent(link.id, before);
            }
        }
        if feed.changes.iter().any(|change| matches!(change, Change::DeleteLink { .. })) {
            // A full queue is no loss: the janitor reads the feed for itself.
            let _ = self.janitor.try_send(Task::Purge);
        }
        Ok(())
    }
}

fn updated(change: &Change) -> Option<&Link> {
    match change {
        Change::UpdateLink { link, .. } if link.max_clicks.is_some() => Some(link),
        _ => None,
    }
}
