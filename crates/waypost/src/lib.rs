//! Waypost as a library: resolve short links from memory, record every click, follow the store.
//!
//! [`Waypost::start`] opens everything: it takes the data directory's lock, replays the click
//! journal, loads the index, and starts the follower and the janitor. What it gives is an
//! [`Engine`] that any server can ask; `examples/` has one without a server and one in stock
//! `may_minihttp`. Where nodes share the store they are a [`fleet`]. Nothing here knows HTTP, and neither tokio nor
//! `may` is pulled in.
//!
//! ```no_run
//! use waypost::{Answer, Facts, Options, Scratch, Store, Waypost};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let options = Options::new("./waypost-data");
//! let store = Store::lmdb(&options.dir, &waypost::LmdbOptions::default())?;
//! let waypost = Waypost::start(store, options)?;
//! let facts = Facts { host: b"localhost", path: "/hi", ..Facts::default() };
//! if let Answer::Redirect(redirect) = waypost.engine().decide(&facts, &mut Scratch::default()) {
//!     println!("{} {}", redirect.status, redirect.location);
//! }
//! waypost.close();
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod applied;
mod audit;
mod boot;
mod error;
pub mod fleet;
mod follower;
mod identity;
mod janitor;
mod keeper;
mod known;
mod load;
mod lock;
mod options;
mod store;
mod vitals;

use std::{
    sync::{Arc, Mutex, PoisonError, atomic::Ordering::Relaxed, mpsc::SyncSender},
    thread::JoinHandle,
    time::Duration,
};

pub use applied::Applied;
pub use error::Error;
pub use lock::Lock;
pub use options::{ClickOptions, Options};
pub use store::Store;
pub use vitals::Vitals;
use waypost_clicks::Pipeline;
pub use waypost_clicks::journal::holds_clicks;
use waypost_index::Index;
pub use waypost_link as link;
use waypost_link::Revision;
#[cfg(feature = "lmdb")]
pub use waypost_lmdb::{LmdbSnapshot, Options as LmdbOptions};
pub use waypost_redirect::{Answer, Engine, Facts, Method, Redirect, Scratch, Settings};
pub use waypost_storage as storage;
use waypost_storage::{Snapshot, Stamp};

use crate::{
    audit::Audit,
    boot::Origin,
    fleet::{Crew, Leases},
    follower::{Follower, Health},
    identity::Identity,
    janitor::Task,
    keeper::{Keeper, Kept},
    known::Known,
};

/// How long a start on a store of its own waits for clicks of earlier starts to be stored: click
/// limits begin where the store says, so they are exact if it takes no longer. Where nodes share the
/// store, clicks are lent, whatever is stored.
const REPLAY: Duration = Duration::from_secs(60);
/// How long a clean stop gives the store to take the last clicks; the rest stays in the journal.
const CLOSE: Duration = Duration::from_secs(30);
/// The same, for a store that did not answer when it was last asked.
const CLOSE_AWAY: Duration = Duration::from_secs(1);

/// A running engine over a store.
pub struct Waypost {
    engine: Arc<Engine>,
    pipeline: Arc<Pipeline>,
    health: Arc<Health>,
    applied: Arc<Applied>,
    janitor: SyncSender<Task>,
    leases: Option<Arc<Leases>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    _lock: Lock,
}

impl Waypost {
    /// Starts on `store`; `options.dir` is for this process alone until it is dropped.
    ///
    /// Where there is a snapshot and the store does not answer, it starts from that, and goes on
    /// from there once the store is back.
    ///
    /// # Errors
    /// [`Error::InUse`] where another server has the directory, [`Error::Store`] and
    /// [`Error::NoSnapshot`] where the store can't be read, [`Error::Foreign`], [`Error::Journal`],
    /// [`Error::Io`].
    pub fn start(store: Store, options: Options) -> Result<Self, Error> {
        let (dir, now, snapshot) = (options.dir, options.now, options.snapshot);
        let lock = Lock::take(&dir)?;
        let index = Arc::new(if store.shared { Index::lending() } else { Index::new() });
        let origin = Origin::find(&store, snapshot.as_deref(), &dir, now, &index)?;
        let Origin { identity, answered, .. } = origin;
        let known = Arc::new(Known::new(store.clone(), identity.store, answered));
        let config = options.clicks.config(&dir, identity.secret);
        let pipeline = Arc::new(Pipeline::start(&config, Arc::clone(&known) as _)?);
        if answered && !store.shared && !pipeline.settle(REPLAY) {
            tracing::warn!("clicks of earlier starts are still in the journal; going on without");
        }
        if answered {
            load::load(&index, &store)?;
        }
        let recorder = pipeline.recorder().clone();
        let engine = Arc::new(Engine::new(Arc::clone(&index), recorder, options.engine));
        let health = Arc::new(Health::default());
        health.reachable.store(answered, Relaxed);
        health.from_snapshot.store(!answered, Relaxed);
        let failed = |error| Error::io(&dir, error);
        let shared = store.shared.then(|| Arc::clone(&known));
        let crew =
            shared.map(|store| Crew::of(store, &dir, &index, now)).transpose().map_err(failed)?;
        let leases = crew.as_ref().map(|crew| Arc::clone(crew.leases()));
        let (janitor, sweeping) =
            janitor::start(store, Arc::clone(&health), options.retention_days, now)
                .map_err(failed)?;
        let applied = Arc::new(Applied::default());
        applied.reach(index.applied());
        let (kept, keeping) =
            keep(snapshot, &origin, &known, &index, &health).map_err(failed)?.unzip();
        let follower = Follower {
            known,
            index,
            applied: Arc::clone(&applied),
            pipeline: Arc::clone(&pipeline),
            janitor: janitor.clone(),
            kept,
            audit: Audit::new(options.audit),
            leases: leases.clone(),
        };
        let following = follower.start(Arc::clone(&health)).map_err(failed)?;
        let crew = crew.map(|crew| crew.start(&pipeline, &health)).transpose().map_err(failed)?;
        let threads = [following, sweeping].into_iter().chain(crew.into_iter().flatten());
        let threads = Mutex::new(threads.chain(keeping).collect());
        Ok(Self { engine, pipeline, health, applied, janitor, leases, threads, _lock: lock })
    }

    /// What answers requests.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// The index that the engine reads; a commit is served once it is applied there.
    pub fn index(&self) -> &Arc<Index> {
        self.engine.index()
    }

    /// How far the index has come: wait here for one's own commit.
    pub fn applied(&self) -> &Arc<Applied> {
        &self.applied
    }

    /// Where clicks of limited links are lent, where nodes share the store: what to ask after an
    /// [`Answer::LeaseSpent`].
    pub fn leases(&self) -> Option<&Arc<Leases>> {
        self.leases.as_ref()
    }

    /// A view of the counters that outlives the borrow.
    pub fn vitals(&self) -> Vitals {
        Vitals::new(Arc::clone(self.index()), Arc::clone(&self.pipeline), Arc::clone(&self.health))
    }

    /// Waits until every click recorded so far is durable in the store; false where that took
    /// longer than `patience`.
    pub fn settle(&self, patience: Duration) -> bool {
        self.pipeline.settle(patience)
    }

    /// Stops in good order: every click recorded so far is stored, or in the journal where the
    /// store doesn't answer; true where nothing is left. A second call does nothing new.
    pub fn close(&self) -> bool {
        self.health.stop.store(true, Relaxed);
        let _ = self.janitor.send(Task::Stop);
        let answers = self.health.reachable.load(Relaxed);
        let stored = self.pipeline.close(if answers { CLOSE } else { CLOSE_AWAY });
        self.leases.iter().for_each(|leases| leases.close(stored && answers));
        let threads =
            std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        threads.into_iter().for_each(|thread| drop(thread.join()));
        stored
    }
}

/// Starts the keeper, where there is a snapshot to keep.
fn keep(
    snapshot: Option<Arc<dyn Snapshot>>,
    origin: &Origin,
    known: &Arc<Known>,
    index: &Arc<Index>,
    health: &Arc<Health>,
) -> std::io::Result<Option<(Kept, JoinHandle<()>)>> {
    let Identity { store, secret } = origin.identity;
    let keeper = |snapshot| Keeper {
        snapshot,
        known: Arc::clone(known),
        index: Arc::clone(index),
        health: Arc::clone(health),
        stamp: Stamp { store, secret, revision: Revision::default() },
        held: origin.stamp.map(|stamp| stamp.revision),
    };
    snapshot.map(|snapshot| keeper(snapshot).start()).transpose()
}

impl Drop for Waypost {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Waypost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Waypost")
    }
}
