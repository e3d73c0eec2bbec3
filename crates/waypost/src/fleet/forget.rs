//! Forgetting a node that is gone for good, and what becomes of the clicks that it was lent.
//!
//! What a dead node spent of a lease is what the store has counted beyond what all others say that
//! they have: too much rather than too little, since they say it a moment late. The rest goes back.
//! Clicks that were still in the dead node's journal were never counted, so they go back too.

use waypost_link::{Change, Lease, News, Node, NodeId, Noun, Record, Timestamp};
use waypost_storage::{Error, LinkStore, Order, RecordQuery, Result, limits::PAGE};

use super::{
    ALIVE_SECONDS,
    accounts::{again, lease},
    nodes,
};
use crate::Store;

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

/// What was forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forgotten {
    /// The node's name.
    pub name: String,
    /// How many clicks of limited links came back.
    pub clicks: u64,
}

/// Forgets a node that is gone for good: what it was lent and didn't spend is there for the others.
///
/// # Errors
/// [`ForgetError`]; what was done until then stays done, and doing it again does the rest.
pub fn forget(
    store: &Store,
    id: NodeId,
    now: Timestamp,
) -> std::result::Result<Forgotten, ForgetError> {
    let links = &*store.links;
    let Some(Record::Node(node)) = links.record(Noun::Node, id.0)? else {
        return Err(ForgetError::Unknown(id));
    };
    let seconds = (now.0 - node.seen_at.0) / Timestamp::SECOND;
    if seconds < ALIVE_SECONDS {
        return Err(ForgetError::Alive { name: node.name, seconds: seconds.max(0) });
    }
    let (others, _) = nodes(links)?;
    let mut clicks = 0;
    for lease in leases(links, id)? {
        clicks += give_back(store, &lease, &others, now)?;
    }
    links.commit(&[Change::DeleteRecord { noun: Noun::Node, id: id.0 }], now)?;
    Ok(Forgotten { name: node.name, clicks })
}

/// All leases of a node.
fn leases(links: &dyn LinkStore, node: NodeId) -> Result<Vec<Lease>> {
    let (noun, order) = (Noun::Lease, Order::Ascending);
    let mut query = RecordQuery { noun, workspace: None, order, after: None, limit: PAGE };
    let mut leases = Vec::new();
    loop {
        let page = links.records(&query)?;
        leases.extend(page.items.into_iter().filter_map(|record| match record {
            Record::Lease(lease) if lease.node == node => Some(lease),
            _ => None,
        }));
        query.after = page.next;
        if query.after.is_none() {
            return Ok(leases);
        }
    }
}

/// Ends a dead node's lease; how many clicks came back.
fn give_back(store: &Store, dead: &Lease, nodes: &[Node], now: Timestamp) -> Result<u64> {
    let links = &*store.links;
    again(|| {
        let Some(dead) = lease(links, dead.link, dead.node)? else { return Ok(0) };
        let gone = Change::DeleteRecord { noun: Noun::Lease, id: dead.id.0 };
        let account = lease(links, dead.link, Lease::ACCOUNT)?;
        let Some(account) = account.filter(|account| account.since == dead.since) else {
            return links.commit(&[gone], now).map(|_| 0);
        };
        let (mut granted, mut counted) = (0_u64, 0_u64);
        for node in nodes.iter().filter(|node| node.id != dead.node) {
            let other = lease(links, dead.link, node.id)?;
            if let Some(other) = other.filter(|other| other.since == dead.since) {
                granted += other.granted;
                counted += other.counted;
            }
        }
        // Read after what the others say, so it is at least as late.
        // Totals of a store that is behind would be too low.
        store.clicks.flush()?;
        let total = store.clicks.totals(&[dead.link])?.first().map_or(0, |totals| totals.spent);
        let base = account.granted.saturating_sub(granted + dead.granted);
        let spent = total.saturating_sub(base + counted);
        let unspent = dead.granted.saturating_sub(spent);
        let news = Some(News::Returned);
        let granted = account.granted.saturating_sub(unspent);
        let account = Record::Lease(Lease { granted, news, ..account.next() });
        links.commit(&[Change::PutRecord(account), gone], now)?;
        Ok(unspent)
    })
}

#[cfg(test)]
mod tests {
    use waypost_link::Revision;
    use waypost_storage::memory::MemoryStore;

    use super::*;

    #[test]
    fn only_a_silent_node_is_forgotten() {
        let store = Store::of(MemoryStore::new(|_| Default::default()));
        let node = |name: &str| {
            Change::PutRecord(Record::Node(Node { name: name.to_owned(), ..Node::default() }))
        };
        store.links.commit(&[node("a"), node("b")], Timestamp(0)).unwrap();
        let at = |seconds| Timestamp(seconds * Timestamp::SECOND);
        let names = || {
            let (nodes, head) = nodes(&*store.links).unwrap();
            assert_eq!(head, Revision(0));
            nodes.into_iter().map(|node| node.name).collect::<Vec<_>>()
        };
        assert!(matches!(forget(&store, NodeId(1), at(14)), Err(ForgetError::Alive { .. })));
        assert!(matches!(forget(&store, NodeId(3), at(99)), Err(ForgetError::Unknown(_))));
        assert_eq!(names(), ["a", "b"]);
        assert_eq!(forget(&store, NodeId(1), at(15)).unwrap().name, "a");
        assert_eq!(names(), ["b"]);
    }
}
