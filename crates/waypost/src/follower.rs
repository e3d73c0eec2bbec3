//! The follower: one OS thread that brings the store's feed to the index, whoever wrote it.
//!
//! When the store is away the index stays as it is and redirects go on; the follower keeps asking.
//! Between commits it also audits the index, and repairs what it finds.

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
use waypost_link::{Change, Link, LinkId};
use waypost_storage::{Error, Feed, Result};

use crate::{
    Applied, Store,
    audit::{self, Audit, Found},
    fleet::Leases,
    janitor::Task,
    keeper::Kept,
    known::Known,
    load,
};

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
    /// It answers, and did not take this node's last heartbeat.
    pub(crate) refuses: AtomicBool,
    /// Calls that failed.
    pub(crate) errors: AtomicU64,
    /// The index is what the local snapshot had: the store was not reached since the start.
    pub(crate) from_snapshot: AtomicBool,
    /// Links that the audit repaired.
    pub(crate) repairs: AtomicU64,
    /// The end has come.
    pub(crate) stop: AtomicBool,
}

/// Brings the feed of the store to `index`, which was loaded.
pub(crate) struct Follower {
    pub(crate) known: Arc<Known>,
    pub(crate) index: Arc<Index>,
    pub(crate) applied: Arc<Applied>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) janitor: SyncSender<Task>,
    pub(crate) kept: Option<Kept>,
    pub(crate) audit: Audit,
    pub(crate) leases: Option<Arc<Leases>>,
}

impl Follower {
    /// Starts its thread.
    pub(crate) fn start(self, health: Arc<Health>) -> std::io::Result<JoinHandle<()>> {
        let thread = std::thread::Builder::new().name("follower".to_owned());
        thread.spawn(move || self.run(&health))
    }

    fn run(mut self, health: &Health) {
        while !health.stop.load(Relaxed) {
            let known = Arc::clone(&self.known);
            let done = known.store().and_then(|store| {
                self.step(store)?;
                self.audit(store, health)
            });
            match done {
                Ok(()) => self.reached(health),
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

    /// The store answered, and the index has what it said.
    fn reached(&self, health: &Health) {
        health.from_snapshot.store(false, Relaxed);
        if !health.reachable.swap(true, Relaxed) {
            let revision = self.index.applied();
            tracing::info!(%revision, "the store answers again; the index has caught up");
        }
    }

    fn step(&self, store: &Store) -> Result<()> {
        let applied = self.index.applied();
        let head = store.links.wait(applied, PATIENCE)?;
        if head == applied {
            self.index.confirm();
            return Ok(());
        }
        if head < applied {
            tracing::warn!(%applied, %head, "the store went back; loading everything anew");
            return self.reload(store);
        }
        let done = match store.links.replay(applied, FEED) {
            Ok(feeds) => self.follow(store, feeds),
            Err(Error::Gone { oldest }) => {
                tracing::warn!(%applied, oldest, "the feed was trimmed; loading everything anew");
                self.reload(store)
            }
            Err(error) => Err(error),
        };
        self.applied.reach(self.index.applied());
        done
    }

    /// Applies `feeds`, and hands over what was applied.
    fn follow(&self, store: &Store, mut feeds: Vec<Feed>) -> Result<()> {
        let done = feeds.iter().try_for_each(|feed| {
            self.bring(store, &feed.changes, || self.index.apply(feed.revision, &feed.changes))
        });
        if let Some(kept) = &self.kept {
            let applied = self.index.applied();
            feeds.retain(|feed| feed.revision <= applied);
            kept.applied(feeds);
        }
        done
    }

    fn reload(&self, store: &Store) -> Result<()> {
        if let Some(kept) = &self.kept {
            kept.anew();
        }
        let done = load::load(&self.index, store);
        self.leases.iter().for_each(|leases| leases.missed());
        done
    }

    /// Has `put` bring `changes` to the index. Clicks of a link that becomes limited are looked up
    /// before the limit is seen, so that its counter begins where the statistics stand.
    fn bring(
        &self,
        store: &Store,
        changes: &[Change],
        put: impl FnOnce() -> Vec<LinkId>,
    ) -> Result<()> {
        let limited = limited(changes, store);
        if !limited.is_empty() {
            self.pipeline.settle(SETTLE);
        }
        let spent = load::spent_of(&limited, store)?;
        self.leases.iter().for_each(|leases| leases.hear(changes));
        let fresh = put();
        for (link, before) in limited.into_iter().zip(spent) {
            if fresh.contains(&link) {
                self.index.set_spent(link, before);
            }
        }
        if changes.iter().any(|change| matches!(change, Change::DeleteLink { .. })) {
            // A full queue is no loss: the janitor reads the feed for itself.
            let _ = self.janitor.try_send(Task::Purge);
        }
        Ok(())
    }

    /// Audits a page, if it is time, and repairs what differs.
    fn audit(&mut self, store: &Store, health: &Health) -> Result<()> {
        let repairs = match self.audit.step(&*store.links, &self.index)? {
            Found::Nothing => return Ok(()),
            Found::Differing(links) => self.repair(store, &links)?,
            Found::Surplus(links) => {
                self.reload(store)?;
                links
            }
        };
        health.repairs.fetch_add(repairs, Relaxed);
        tracing::error!(repairs, "the index was not what the store is; it was repaired");
        Ok(())
    }

    /// Brings `links` to the index the way that the feed should have; where that doesn't help,
    /// everything is loaded anew. How many they were.
    fn repair(&self, store: &Store, links: &[Link]) -> Result<u64> {
        let put =
            |link: &Link| Change::UpdateLink { link: Box::new(link.clone()), was: link.name() };
        let changes: Vec<Change> = links.iter().map(put).collect();
        self.bring(store, &changes, || self.index.repair(&changes))?;
        if !links.iter().all(|link| audit::agrees(&self.index, link)) {
            self.reload(store)?;
        }
        if let Some(kept) = &self.kept {
            kept.anew();
        }
        Ok(links.len() as u64)
    }
}

/// The links among those that are changed whose limit is this node's own.
fn limited(changes: &[Change], store: &Store) -> Vec<LinkId> {
    let limited = |change: &Change| match change {
        Change::UpdateLink { link, .. } if load::has_own_limit(link, store) => Some(link.id),
        _ => None,
    };
    changes.iter().filter_map(limited).collect()
}
