//! [`LinkStore`]: links, the small nouns, and the feed of what changed.

use std::time::Duration;

use waypost_link::{
    Change, Claim, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp, WorkspaceId,
};

use crate::{LinkQuery, Page, RecordQuery, Result};

/// What a commit did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// Its number. A commit without followed changes keeps the one before.
    pub revision: Revision,
    /// For each change the id of its object, newly assigned or as it was; 0 for `Remember`.
    pub ids: Vec<u64>,
}

/// One commit, as the feed brings it: ids assigned, versions raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feed {
    /// Its number.
    pub revision: Revision,
    /// Its followed changes, in order.
    pub changes: Vec<Change>,
}

/// How many links carry a value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many.
    pub links: u64,
}

/// Links, the small nouns, and the feed of what changed.
///
/// Reads see every commit that returned before they began (on the node that took it).
pub trait LinkStore: Send + Sync {
    /// Does all of `changes`, durably, or none.
    ///
    /// Each change sees those before it. Ids count up from 1 a noun, and are never reused; an
    /// object's version counts up from 1. Claims ([`Claim`]) of the new state are checked and
    /// taken, those of the old state given up. `Remember` with a scope that lives is `Taken`; it
    /// keeps the ids that were newly assigned, wherever in the commit it stands. More than
    /// [`limits::CHANGES`](crate::limits::CHANGES) changes are `Full`.
    ///
    /// A link's and a key's `workspace`, a link's `domain` and `collection` are not looked up:
    /// who makes changes has read them.
    ///
    /// # Errors
    /// [`Taken`](crate::Error::Taken), [`Stale`](crate::Error::Stale),
    /// [`Missing`](crate::Error::Missing) name the first change that can't be; `Full` and
    /// `Unavailable` say that the store can't take any now.
    fn commit(&self, changes: &[Change], now: Timestamp) -> Result<Committed>;

    /// Runs `edit` while no other runs that was given to this, in whichever process: what it reads
    /// of small objects, which have no versions, stays true until it puts them back, as long as
    /// all who put them take turns. What it commits stays, whatever comes after; no turn is taken
    /// within another.
    ///
    /// # Errors
    /// `Unavailable` where the store is away, or others take too long: `edit` was not run.
    fn in_turn(&self, edit: &mut dyn FnMut()) -> Result<()>;

    /// The link of this id.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt`: as every read.
    fn link(&self, id: LinkId) -> Result<Option<Link>>;

    /// A page of the links that fit, by id.
    ///
    /// # Errors
    /// As every read.
    fn links(&self, query: &LinkQuery) -> Result<Page<Link, LinkId>>;

    /// How many links a workspace has, archived ones included; of all where `None`.
    ///
    /// # Errors
    /// As every read.
    fn link_count(&self, workspace: Option<WorkspaceId>) -> Result<u64>;

    /// The values of an attribute in a workspace with the number of links that carry each, by
    /// value, from the one after `after` on.
    ///
    /// # Errors
    /// As every read.
    fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<Facet>>;

    /// The id of the object that holds `claim`; a scope's holder is never found here.
    ///
    /// # Errors
    /// As every read.
    fn holder(&self, claim: &Claim) -> Result<Option<u64>>;

    /// The holders of many claims, in their order: one question where asking takes its time.
    ///
    /// # Errors
    /// As every read.
    fn holders(&self, claims: &[Claim]) -> Result<Vec<Option<u64>>> {
        claims.iter().map(|claim| self.holder(claim)).collect()
    }

    /// The record of this kind and id.
    ///
    /// # Errors
    /// As every read.
    fn record(&self, noun: Noun, id: u64) -> Result<Option<Record>>;

    /// The record that holds `claim`, which is a thing of records of this kind.
    ///
    /// # Errors
    /// As every read.
    fn record_holding(&self, noun: Noun, claim: &Claim) -> Result<Option<Record>> {
        match self.holder(claim)? {
            Some(id) => self.record(noun, id),
            None => Ok(None),
        }
    }

    /// A page of the records that fit, by id.
    ///
    /// # Errors
    /// As every read.
    fn records(&self, query: &RecordQuery) -> Result<Page<Record, u64>>;

    /// What was remembered under `scope` and has not expired at `now`.
    ///
    /// # Errors
    /// As every read.
    fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Result<Option<Remembered>>;

    /// Notes when keys were last used; keys that are gone are passed over. Not in the feed.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    fn touch(&self, keys: &[(KeyId, Timestamp)]) -> Result<()>;

    /// The commits after `after`, oldest first, at most `limit` of them (at least one).
    ///
    /// # Errors
    /// [`Gone`](crate::Error::Gone) where history after `after` was trimmed (it is kept for 24
    /// hours): load everything anew.
    fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>>;

    /// Waits until the head is past `after`, whoever moved it, or `timeout` is over; the head.
    ///
    /// # Errors
    /// `Unavailable`.
    fn wait(&self, after: Revision, timeout: Duration) -> Result<Revision>;

    /// The number of the last commit, 0 where there was none.
    ///
    /// # Errors
    /// As every read.
    fn head(&self) -> Result<Revision>;

    /// Forgets the feed's commits from before `before`, and the remembered answers that have
    /// expired at `now`; how many entries went.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    fn forget(&self, before: Timestamp, now: Timestamp) -> Result<u64>;
}
