//! The nodes of a fleet: servers that share a store.
//!
//! Each has a name, which its data directory keeps, and writes a [`Node`] every few seconds, so
//! that people see who is there and how far it has come. A store of one node has none of this.

mod heartbeat;
mod name;

use std::{
    io,
    path::Path,
    sync::{Arc, atomic::Ordering::Relaxed},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use waypost_index::Index;
use waypost_link::{Change, Node, NodeId, Noun, Record, Revision, Timestamp};
use waypost_storage::{Error, LinkStore, Order, RecordQuery, Result, limits::PAGE};

use self::{heartbeat::Heartbeat, name::Name};
use crate::{Store, follower::Health};

/// How long a node may be silent and still be taken for alive, in seconds.
pub const ALIVE_SECONDS: i64 = 15;

/// How often a node says that it is there.
const BEAT: Duration = Duration::from_secs(2);
/// How soon a stop is noticed.
const TICK: Duration = Duration::from_millis(100);

/// Why a node can't be forgotten.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForgetError {
    /// There is none of this id.
    #[error("there is no node {0}")]
    Unknown(NodeId),
    /// It may still redirect.
    #[error("node {name} was seen {seconds} s ago; stop it first, and wait {ALIVE_SECONDS} s")]
    Alive {
        /// Its name.
        name: String,
        /// How long ago it was seen.
        seconds: i64,
    },
    /// The store said no.
    #[error(transparent)]
    Store(#[from] Error),
}

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

/// Starts the thread that says that this node is there, where the store is shared.
pub(crate) fn start(
    store: &Store,
    dir: &Path,
    index: &Arc<Index>,
    health: &Arc<Health>,
    now: fn() -> Timestamp,
) -> io::Result<Option<JoinHandle<()>>> {
    if !store.shared {
        return Ok(None);
    }
    let mut heartbeat = Heartbeat::new(Name::of(dir)?);
    let (store, index, health) = (store.clone(), Arc::clone(index), Arc::clone(health));
    let run = move || {
        let mut due = Instant::now();
        while !health.stop.load(Relaxed) {
            if Instant::now() >= due {
                due = Instant::now() + BEAT;
                // Whether the store answers is the follower's to say.
                if let Err(error) = heartbeat.beat(&*store.links, index.applied(), now()) {
                    tracing::debug!(%error, "the store was not told that this node is there");
                }
            }
            thread::sleep(TICK);
        }
    };
    thread::Builder::new().name("heartbeat".to_owned()).spawn(run).map(Some)
}

/// Forgets a node that is gone for good; its name.
///
/// # Errors
/// [`ForgetError`].
pub fn forget(
    links: &dyn LinkStore,
    id: NodeId,
    now: Timestamp,
) -> std::result::Result<String, ForgetError> {
    let Some(Record::Node(node)) = links.record(Noun::Node, id.0)? else {
        return Err(ForgetError::Unknown(id));
    };
    let seconds = (now.0 - node.seen_at.0) / Timestamp::SECOND;
    if seconds < ALIVE_SECONDS {
        return Err(ForgetError::Alive { name: node.name, seconds: seconds.max(0) });
    }
    links.commit(&[Change::DeleteRecord { noun: Noun::Node, id: id.0 }], now)?;
    Ok(node.name)
}

#[cfg(test)]
mod tests {
    use waypost_storage::memory::MemoryStore;

    use super::*;

    #[test]
    fn only_a_silent_node_is_forgotten() {
        let store = MemoryStore::new(|_| Default::default());
        let node = |name: &str| {
            Change::PutRecord(Record::Node(Node {
                name: name.to_owned(),
                seen_at: Timestamp(0),
                ..Node::default()
            }))
        };
        store.commit(&[node("a"), node("b")], Timestamp(0)).unwrap();
        let at = |seconds| Timestamp(seconds * Timestamp::SECOND);
        let names = || {
            let (nodes, head) = nodes(&store).unwrap();
            assert_eq!(head, Revision(0));
            nodes.into_iter().map(|node| node.name).collect::<Vec<_>>()
        };
        assert!(matches!(forget(&store, NodeId(1), at(14)), Err(ForgetError::Alive { .. })));
        assert!(matches!(forget(&store, NodeId(3), at(99)), Err(ForgetError::Unknown(_))));
        assert_eq!(names(), ["a", "b"]);
        assert_eq!(forget(&store, NodeId(1), at(15)).unwrap(), "a");
        assert_eq!(names(), ["b"]);
    }
}
