//! The nodes of a fleet: servers that share a store.
//!
//! Each has a name, which its data directory keeps, and writes a [`Node`] every few seconds, so
//! that people see who is there and how far it has come. Clicks of limited links are lent to nodes:
//! [`Leases`] has how. A store of one node has none of this.

mod accounts;
mod book;
mod clerk;
mod forget;
mod heartbeat;
mod leases;
mod ledger;
mod name;

use std::{
    io,
    path::Path,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use waypost_clicks::Pipeline;
use waypost_index::Index;
use waypost_link::{Node, Noun, Record, Revision, Timestamp};
use waypost_storage::{LinkStore, Order, RecordQuery, Result, limits::PAGE};

use self::{
    accounts::Accounts, clerk::Clerk, heartbeat::Heartbeat, leases::Fleet, ledger::Ledger,
    name::Name,
};
pub use self::{
    forget::{ForgetError, Forgotten, forget},
    leases::Leases,
};
use crate::{follower::Health, known::Known};

/// How long a node may be silent and still be taken for alive, in seconds.
pub const ALIVE_SECONDS: i64 = 15;
/// How often a node says that it is there.
const BEAT: Duration = Duration::from_secs(2);
/// How soon a stop is noticed.
const TICK: Duration = Duration::from_millis(100);
/// How long clicks may take to be stored before they are reported as counted.
const SETTLE: Duration = Duration::from_secs(1);

/// Every node of the store, oldest first, and the store's head.
///
/// # Errors
/// As every read.
pub fn nodes(links: &dyn LinkStore) -> Result<(Vec<Node>, Revision)> {
    let (noun, order) = (Noun::Node, Order::Ascending);
    let mut query = RecordQuery { noun, workspace: None, order, after: None, limit: PAGE };
    let mut nodes = Vec::new();
    loop {
        let page = links.records(&query)?;
        nodes.extend(page.items.into_iter().filter_map(|record| match record {
            Record::Node(node) => Some(node),
            _ => None,
        }));
        query.after = page.next;
        if query.after.is_none() {
            return Ok((nodes, links.head()?));
        }
    }
}

/// A node of a fleet, before it runs.
pub(crate) struct Crew {
    store: Arc<Known>,
    name: Name,
    leases: Arc<Leases>,
    index: Arc<Index>,
    now: fn() -> Timestamp,
}

impl Crew {
    /// The node whose name and leases `dir` keeps.
    ///
    /// # Errors
    /// Those of the disk.
    pub(crate) fn of(
        store: Arc<Known>,
        dir: &Path,
        index: &Arc<Index>,
        now: fn() -> Timestamp,
    ) -> io::Result<Self> {
        let mut name = Name::of(dir)?;
        let ledger = match Ledger::open(dir, name.as_str())? {
            Some(ledger) => ledger,
            None => {
                let was = std::mem::replace(&mut name, Name::draw(dir)?);
                let (was, node) = (was.as_str(), name.as_str());
                tracing::warn!(
                    was,
                    node,
                    "the system went down while this node held clicks of limited links; it goes on as a new one: forget the old one to have them back"
                );
                Ledger::discard(dir)?;
                Ledger::open(dir, name.as_str())?.ok_or_else(|| io::Error::other("no ledger"))?
            }
        };
        let leases = Arc::new(Leases::new(Arc::clone(index), ledger));
        Ok(Self { store, name, leases, index: Arc::clone(index), now })
    }

    /// What it may spend.
    pub(crate) fn leases(&self) -> &Arc<Leases> {
        &self.leases
    }

    /// Starts its threads: one that says that it is there, one that takes clicks. The first ends
    /// with `health`'s stop, the second with [`Leases`]' own.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        self,
        pipeline: &Arc<Pipeline>,
        health: &Arc<Health>,
    ) -> io::Result<[JoinHandle<()>; 2]> {
        let (pipeline, health) = (Arc::clone(pipeline), Arc::clone(health));
        let (store, leases, now) = (Arc::clone(&self.store), Arc::clone(&self.leases), self.now);
        let clerk = Clerk { store, leases, now, wanted: Vec::new() };
        let beating = thread::Builder::new().name("heartbeat".to_owned());
        let lending = thread::Builder::new().name("leases".to_owned());
        Ok([
            beating.spawn(move || self.beat(&pipeline, &health))?,
            lending.spawn(move || clerk.run())?,
        ])
    }

    fn beat(self, pipeline: &Pipeline, health: &Health) {
        let mut heartbeat = Heartbeat::new(self.name.clone());
        let mut due = Instant::now();
        while !health.stop.load(Relaxed) {
            if Instant::now() >= due {
                due = Instant::now() + BEAT;
                let done = self.once(&mut heartbeat, pipeline);
                if let Err(error) = &done {
                    tracing::debug!(%error, "the store was not told that this node is there");
                }
                // Whether the store answers is the follower's to say.
                note(health, done.is_err() && health.reachable.load(Relaxed));
            }
            thread::sleep(TICK);
        }
    }

    fn once(&self, heartbeat: &mut Heartbeat, pipeline: &Pipeline) -> Result<()> {
        let store = self.store.store()?;
        let (links, clicks, now) = (&*store.links, &*store.clicks, (self.now)());
        let node = heartbeat.beat(links, self.index.applied(), now)?;
        let (nodes, _) = nodes(links)?;
        let since = now.plus(-ALIVE_SECONDS * Timestamp::SECOND);
        let alive = nodes.iter().filter(|node| node.seen_at >= since).count() as u64;
        let (rivalled, known) = (heartbeat.rivalled, nodes.len() as u64);
        self.leases.set_fleet(Fleet { node: Some(node), rivalled, alive, known });
        let used = self.leases.unreported();
        if used.is_empty() || !pipeline.settle(SETTLE) {
            return Ok(());
        }
        let accounts = Accounts { links, clicks, node, now };
        for used in used {
            accounts.report(used.link, used.since, used.spent)?;
            self.leases.reported(used);
        }
        Ok(())
    }
}

/// Notes whether a store that answers refuses changes, and says so where that is new.
fn note(health: &Health, refuses: bool) {
    match (health.refuses.swap(refuses, Relaxed), refuses) {
        (false, true) => tracing::warn!("the store takes no changes; clicks wait in the journal"),
        (true, false) => tracing::info!("the store takes changes again, or is away"),
        _ => {}
    }
}

#[cfg(test)]
mod tests;
