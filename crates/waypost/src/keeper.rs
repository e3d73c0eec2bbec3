//! The keeper: one OS thread that keeps the snapshot of a store which is elsewhere.
//!
//! The follower hands over what it has applied, and never waits. Where something was not handed
//! over, the keeper asks the store's feed for it, and where that is gone, copies everything anew.
//! A snapshot never is ahead of the index, and mostly a fraction of a second behind it.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use waypost_index::Index;
use waypost_link::{Link, LinkId, Record, Revision};
use waypost_storage::{Error, Feed, Result, Snapshot, Stamp};

use crate::{
    follower::Health,
    known::Known,
    load::{self, Source as _, Target},
};

/// Commits that come so soon after one are written with it.
const GATHER: Duration = Duration::from_millis(50);
/// How often spent clicks are noted, and what went wrong is tried again.
const TICK: Duration = Duration::from_secs(1);
/// Hand-overs that may wait; what doesn't fit is read from the feed.
const WAITING: usize = 16;

/// Where the follower hands over.
pub(crate) struct Kept {
    feeds: SyncSender<Vec<Feed>>,
    anew: Arc<AtomicBool>,
}

impl Kept {
    /// The index has applied `feeds`.
    pub(crate) fn applied(&self, feeds: Vec<Feed>) {
        // A full queue is no loss: the keeper sees what it missed.
        let _ = self.feeds.try_send(feeds);
    }

    /// The feed can't be relied on: everything is to be copied anew.
    pub(crate) fn anew(&self) {
        self.anew.store(true, Relaxed);
    }
}

/// Keeps `snapshot` up with `index`.
pub(crate) struct Keeper {
    pub(crate) snapshot: Arc<dyn Snapshot>,
    pub(crate) known: Arc<Known>,
    pub(crate) index: Arc<Index>,
    pub(crate) health: Arc<Health>,
    /// What the snapshot is stamped with as soon as it is whole; its revision aside.
    pub(crate) stamp: Stamp,
    /// How far it has come; `None` where it is no copy yet.
    pub(crate) held: Option<Revision>,
}

impl Keeper {
    /// Starts its thread, which ends once the other end is dropped.
    pub(crate) fn start(self) -> std::io::Result<(Kept, JoinHandle<()>)> {
        let (feeds, handed) = sync_channel(WAITING);
        let anew = Arc::new(AtomicBool::new(false));
        let kept = Kept { feeds, anew: Arc::clone(&anew) };
        let thread = thread::Builder::new().name("keeper".to_owned());
        let mut keeping = Keeping { keeper: self, spent: HashMap::new(), noted: Instant::now() };
        Ok((kept, thread.spawn(move || keeping.run(&handed, &anew))?))
    }
}

struct Keeping {
    keeper: Keeper,
    /// The spent clicks that the snapshot has.
    spent: HashMap<LinkId, u64>,
    noted: Instant,
}

impl Keeping {
    fn run(&mut self, handed: &Receiver<Vec<Feed>>, anew: &AtomicBool) {
        let (mut open, mut failing) = (true, false);
        while open {
            let mut feeds = match handed.recv_timeout(TICK) {
                Ok(feeds) => feeds,
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => {
                    open = false;
                    Vec::new()
                }
            };
            if !feeds.is_empty() {
                thread::sleep(GATHER);
                feeds.extend(handed.try_iter().flatten());
            }
            if anew.swap(false, Relaxed) {
                self.keeper.held = None;
            }
            let done = self.keep(feeds);
            if let (Err(error), false) = (&done, failing) {
                tracing::warn!(%error, "the local snapshot falls behind; trying again");
            }
            failing = done.is_err();
        }
    }

    fn keep(&mut self, mut feeds: Vec<Feed>) -> Result<()> {
        let applied = self.keeper.index.applied();
        let held = match self.keeper.held {
            Some(held) if held <= applied => held,
            _ => self.copy()?,
        };
        feeds.retain(|feed| feed.revision > held);
        if feeds.first().is_some_and(|feed| feed.revision.0 == held.0 + 1) {
            self.follow(&feeds)?;
        }
        self.catch_up(applied)?;
        self.note_spent()
    }

    /// Writes `feeds`, which follow on what the snapshot holds.
    fn follow(&mut self, feeds: &[Feed]) -> Result<()> {
        let Some(last) = feeds.last() else { return Ok(()) };
        let followed = self.keeper.snapshot.follow(feeds, load::NOUNS);
        self.sound(followed)?;
        self.keeper.held = Some(last.revision);
        Ok(())
    }

    /// Reads what was not handed over, up to what the index has.
    fn catch_up(&mut self, applied: Revision) -> Result<()> {
        while let Some(held) = self.keeper.held.filter(|held| *held < applied) {
            if self.keeper.health.stop.load(Relaxed) {
                return Ok(());
            }
            match self.keeper.known.store()?.replay(held) {
                Ok(mut feeds) => {
                    feeds.retain(|feed| feed.revision <= applied);
                    if feeds.is_empty() {
                        return Ok(());
                    }
                    self.follow(&feeds)?;
                }
                Err(Error::Gone { .. }) => drop(self.copy()?),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Copies everything anew; the commit that it then is at.
    fn copy(&mut self) -> Result<Revision> {
        let Keeper { snapshot, known, health, stamp, held, .. } = &mut self.keeper;
        let store = known.store()?;
        // Whoever asks in vain keeps what there is.
        store.head()?;
        (*held, self.spent) = (None, HashMap::new());
        snapshot.clear()?;
        let revision = load::copy(store, &Filling { snapshot: &**snapshot, health })?;
        snapshot.finish(Stamp { revision, ..*stamp })?;
        tracing::info!(%revision, "the local snapshot is whole");
        *held = Some(revision);
        Ok(revision)
    }

    /// Notes the clicks that limited links have spent since they were last noted.
    fn note_spent(&mut self) -> Result<()> {
        if self.noted.elapsed() < TICK && !self.keeper.health.stop.load(Relaxed) {
            return Ok(());
        }
        let mut spent = self.keeper.index.spent();
        spent.retain(|(id, clicks)| self.spent.get(id) != Some(clicks));
        if !spent.is_empty() {
            let noted = self.keeper.snapshot.note_spent(&spent);
            self.sound(noted)?;
            self.spent.extend(spent);
        }
        self.noted = Instant::now();
        Ok(())
    }

    /// What the snapshot has `done`. One that is corrupt is no copy any more: the next attempt
    /// copies everything anew. What the store says of itself is none of this.
    fn sound(&mut self, done: Result<()>) -> Result<()> {
        if matches!(done, Err(Error::Corrupt(_))) {
            self.keeper.held = None;
        }
        done
    }
}

/// A snapshot that is being filled, until the end comes.
struct Filling<'f> {
    snapshot: &'f dyn Snapshot,
    health: &'f Health,
}

impl Filling<'_> {
    fn snapshot(&self) -> Result<&dyn Snapshot> {
        if self.health.stop.load(Relaxed) {
            return Err(Error::Unavailable("the end has come".to_owned()));
        }
        Ok(self.snapshot)
    }
}

impl Target for Filling<'_> {
    fn records(&self, records: Vec<Record>) -> Result<()> {
        self.snapshot()?.add_records(&records)
    }

    fn links(&self, links: &[Link], spent: &[u64]) -> Result<()> {
        self.snapshot()?.add_links(links)?;
        let limited = links.iter().zip(spent).filter(|(link, _)| link.max_clicks.is_some());
        let spent: Vec<_> = limited.map(|(link, spent)| (link.id, *spent)).collect();
        if spent.is_empty() { Ok(()) } else { self.snapshot()?.note_spent(&spent) }
    }

    fn apply(&self, feeds: &[Feed]) -> Result<()> {
        self.snapshot()?.follow(feeds, load::NOUNS)
    }
}
