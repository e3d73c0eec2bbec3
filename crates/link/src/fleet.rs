//! What the nodes of a fleet keep in the store that they share: who is there, and which clicks of
//! a limited link each may spend without asking.
//!
//! A limited link has an *account*: a lease of no node, which says how many clicks were given away
//! in all. A node takes more by putting both, the account and its own lease, in one commit; both
//! count their puts, so that of two nodes that take the last clicks one is refused and looks again.

use crate::{LeaseId, LinkId, NodeId, Timestamp};

/// A redirect node of a fleet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Assigned by the store.
    pub id: NodeId,
    /// Unique in the store.
    pub name: String,
    /// The version of its binary.
    pub version: String,
    /// The last revision its index has applied.
    pub applied: u64,
    /// When it last wrote this.
    pub seen_at: Timestamp,
}

/// Clicks of a limited link that one node may spend without asking; or the link's account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Assigned by the store.
    pub id: LeaseId,
    /// The link, unique with the node.
    pub link: LinkId,
    /// The node; 0 for the link's account.
    pub node: NodeId,
    /// The version that the link had when its account was opened: a lease under another is void.
    pub since: u64,
    /// How many clicks it was given in all; in the account, how many are given away or were
    /// counted before it was opened.
    pub granted: u64,
    /// How many of them were spent and are counted in the store, when the node last said so.
    pub counted: u64,
    /// Counts its puts from 1: one that isn't the next is refused as stale.
    pub version: u64,
    /// What the other nodes are told by this put.
    pub news: Option<News>,
}

/// What is told about an account through the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum News {
    /// A node needs clicks where none are left: who else has unspent ones gives them back.
    Wanted {
        /// That node.
        by: NodeId,
    },
    /// Clicks came back: whoever found none left may ask again.
    Returned,
}

impl Lease {
    /// The node of accounts.
    pub const ACCOUNT: NodeId = NodeId(0);

    /// It with its next version, to be put in its place.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { version: self.version.wrapping_add(1), news: None, ..self.clone() }
    }
}
