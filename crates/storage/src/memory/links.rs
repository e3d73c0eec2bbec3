//! The model's links, records, claims, remembered answers and feed.
//!
//! A commit is atomic by undoing: each step that changes a map leaves behind how to take it back.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound::{Excluded, Unbounded},
};

use waypost_link::{
    Change, Claim, KeyId, Link, LinkId, Noun, Record, Remembered, Revision, Timestamp, WorkspaceId,
};

use super::page;
use crate::{
    Committed, Error, Facet, Feed, LinkQuery, Order, Page, RecordQuery, Result, limits, page_limit,
};

#[derive(Clone, Default)]
pub(super) struct Links {
    pub(super) links: BTreeMap<LinkId, Link>,
    pub(super) records: BTreeMap<(Noun, u64), Record>,
    pub(super) claims: BTreeMap<Claim, u64>,
    pub(super) deleted: BTreeSet<LinkId>,
    pub(super) remembered: BTreeMap<[u8; 32], Remembered>,
    /// The last id given to each noun, and to links (`None`): never lowered.
    pub(super) last_ids: BTreeMap<Option<Noun>, u64>,
    feed: VecDeque<(Timestamp, Feed)>,
    pub(super) head: Revision,
}

/// A commit on its way.
#[derive(Default)]
struct Work {
    ids: Vec<u64>,
    /// Those of `ids` that are new.
    made: Vec<u64>,
    followed: Vec<Change>,
    remember: Vec<Remembered>,
    undo: Vec<Undo>,
}

impl Work {
    fn follow(&mut self, change: Change) {
        if change.is_followed() {
            self.followed.push(change);
        }
    }
}

type Undo = Box<dyn FnOnce(&mut Links)>;

impl Links {
    pub(super) fn commit(&mut self, changes: &[Change], now: Timestamp) -> Result<Committed> {
        if changes.len() > limits::CHANGES {
            return Err(Error::Full(format!("a commit has at most {} changes", limits::CHANGES)));
        }
        let mut work = Work::default();
        for (index, change) in changes.iter().enumerate() {
            if let Err(error) = self.apply(index, change, now, &mut work) {
                work.undo.into_iter().rev().for_each(|undo| undo(self));
                return Err(error);
            }
        }
        for remembered in work.remember {
            let remembered = Remembered { ids: work.made.clone(), ..remembered };
            self.remembered.insert(remembered.scope, remembered);
        }
        if !work.followed.is_empty() {
            self.head.0 += 1;
            let feed = Feed { revision: self.head, changes: work.followed };
            self.feed.push_back((now, feed));
        }
        Ok(Committed { revision: self.head, ids: work.ids })
    }

    fn apply(&mut self, index: usize, change: &Change, now: Timestamp, w: &mut Work) -> Result<()> {
        let id = match change {
            Change::CreateLink(link) => self.create_link(index, link, w)?,
            Change::UpdateLink { link, .. } => self.update_link(index, link, w)?,
            Change::DeleteLink { id, .. } => self.delete_link(index, *id, w)?,
            Change::PutRecord(record) => self.put_record(index, record, w)?,
            Change::DeleteRecord { noun, id } => self.delete_record(index, *noun, *id, w)?,
            Change::Remember(remembered) => self.remember(index, remembered, now, w)?,
        };
        w.ids.push(id);
        Ok(())
    }

    fn create_link(&mut self, index: usize, link: &Link, work: &mut Work) -> Result<u64> {
        let id = self.next_id(None, work);
        let link = Link { id: LinkId(id), version: 1, ..link.clone() };
        self.claim(index, vec![], vec![link.claim()], id, work)?;
        work.followed.push(Change::CreateLink(Box::new(link.clone())));
        self.set_link(link.id, Some(link), work);
        Ok(id)
    }

    fn update_link(&mut self, index: usize, link: &Link, work: &mut Work) -> Result<u64> {
        let old = self.links.get(&link.id).ok_or(Error::Missing { index })?;
        if old.version != link.version {
            return Err(Error::Stale { index });
        }
        let (was, before) = (old.name(), old.claim());
        let link = Link { version: old.version + 1, ..link.clone() };
        self.claim(index, vec![before], vec![link.claim()], link.id.0, work)?;
        work.followed.push(Change::UpdateLink { link: Box::new(link.clone()), was });
        let id = link.id;
        self.set_link(id, Some(link), work);
        Ok(id.0)
    }

    fn delete_link(&mut self, index: usize, id: LinkId, work: &mut Work) -> Result<u64> {
        let old = self.links.get(&id).ok_or(Error::Missing { index })?;
        let (workspace, was, before) = (old.workspace, old.name(), old.claim());
        self.claim(index, vec![before], vec![], id.0, work)?;
        work.followed.push(Change::DeleteLink { id, workspace, was });
        self.set_link(id, None, work);
        self.deleted.insert(id);
        work.undo.push(Box::new(move |links| _ = links.deleted.remove(&id)));
        Ok(id.0)
    }

    fn put_record(&mut self, index: usize, record: &Record, work: &mut Work) -> Result<u64> {
        let (mut record, noun) = (record.clone(), record.noun());
        let before = match record.id() {
            0 => {
                record.set_id(self.next_id(Some(noun), work));
                Vec::new()
            }
            id => {
                let old = self.records.get(&(noun, id)).ok_or(Error::Missing { index })?;
                if !old.is_succeeded_by(record.version()) {
                    return Err(Error::Stale { index });
                }
                old.claims()
            }
        };
        let id = record.id();
        self.claim(index, before, record.claims(), id, work)?;
        work.follow(Change::PutRecord(record.clone()));
        self.set_record((noun, id), Some(record), work);
        Ok(id)
    }

    fn delete_record(&mut self, index: usize, noun: Noun, id: u64, work: &mut Work) -> Result<u64> {
        let before = self.records.get(&(noun, id)).ok_or(Error::Missing { index })?.claims();
        self.claim(index, before, vec![], id, work)?;
        work.follow(Change::DeleteRecord { noun, id });
        self.set_record((noun, id), None, work);
        Ok(id)
    }

    fn remember(
        &self,
        index: usize,
        remembered: &Remembered,
        now: Timestamp,
        work: &mut Work,
    ) -> Result<u64> {
        let scope = remembered.scope;
        let twice = work.remember.iter().any(|other| other.scope == scope);
        if twice || self.remembered(&scope, now).is_some() {
            let claim = Box::new(Claim::Scope(scope));
            return Err(Error::Taken { index, claim, holder: 0 });
        }
        work.remember.push(remembered.clone());
        Ok(0)
    }

    /// Gives up the claims `before` and takes those `after`, for the object `id`.
    fn claim(
        &mut self,
        index: usize,
        before: Vec<Claim>,
        after: Vec<Claim>,
        id: u64,
        work: &mut Work,
    ) -> Result<()> {
        for claim in before {
            self.set_claim(claim, None, work);
        }
        for claim in after {
            if let Some(&holder) = self.claims.get(&claim) {
                return Err(Error::Taken { index, claim: Box::new(claim), holder });
            }
            self.set_claim(claim, Some(id), work);
        }
        Ok(())
    }

    fn next_id(&mut self, noun: Option<Noun>, work: &mut Work) -> u64 {
        let last = self.last_ids.entry(noun).or_default();
        *last += 1;
        work.made.push(*last);
        *last
    }

    fn set_link(&mut self, id: LinkId, link: Option<Link>, work: &mut Work) {
        let before = set(&mut self.links, id, link);
        work.undo.push(Box::new(move |links| _ = set(&mut links.links, id, before)));
    }

    fn set_record(&mut self, key: (Noun, u64), record: Option<Record>, work: &mut Work) {
        let before = set(&mut self.records, key, record);
        work.undo.push(Box::new(move |links| _ = set(&mut links.records, key, before)));
    }

    fn set_claim(&mut self, claim: Claim, holder: Option<u64>, work: &mut Work) {
        let before = set(&mut self.claims, claim.clone(), holder);
        work.undo.push(Box::new(move |links| _ = set(&mut links.claims, claim, before)));
    }
}

/// Reads.
impl Links {
    pub(super) fn link(&self, id: LinkId) -> Option<Link> {
        self.links.get(&id).cloned()
    }

    pub(super) fn links(&self, query: &LinkQuery) -> Page<Link, LinkId> {
        let fits = ordered(&self.links, query.after, query.order)
            .map(|(_, link)| link)
            .filter(|link| query.fits(link));
        page(fits.cloned(), query.limit, |link| link.id)
    }

    pub(super) fn link_count(&self, workspace: Option<WorkspaceId>) -> u64 {
        let query = LinkQuery { workspace, ..LinkQuery::default() };
        self.links.values().filter(|link| query.fits(link)).count() as u64
    }

    pub(super) fn facets(
        &self,
        workspace: WorkspaceId,
        attribute: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<Facet> {
        let mut facets = BTreeMap::<&str, u64>::new();
        for link in self.links.values().filter(|link| link.workspace == workspace) {
            if let Some(value) = link.attributes.get(attribute) {
                *facets.entry(value).or_default() += 1;
            }
        }
        let later = facets.into_iter().filter(|(value, _)| Some(*value) > after);
        let facets = later.map(|(value, links)| Facet { value: value.to_owned(), links });
        facets.take(page_limit(limit)).collect()
    }

    pub(super) fn holder(&self, claim: &Claim) -> Option<u64> {
        self.claims.get(claim).copied()
    }

    pub(super) fn record(&self, noun: Noun, id: u64) -> Option<Record> {
        self.records.get(&(noun, id)).cloned()
    }

    pub(super) fn records(&self, query: &RecordQuery) -> Page<Record, u64> {
        let after = query.after.map(|id| (query.noun, id));
        let fits =
            ordered(&self.records, after, query.order).map(|(_, record)| record).filter(|record| {
                record.noun() == query.noun
                    && query.workspace.is_none_or(|own| record.workspace() == Some(own))
            });
        page(fits.cloned(), query.limit, Record::id)
    }

    pub(super) fn remembered(&self, scope: &[u8; 32], now: Timestamp) -> Option<&Remembered> {
        self.remembered.get(scope).filter(|remembered| remembered.expires_at > now)
    }

    pub(super) fn head(&self) -> Revision {
        self.head
    }

    pub(super) fn replay(&self, after: Revision, limit: usize) -> Result<Vec<Feed>> {
        let first = self.feed.front().map_or(self.head.0 + 1, |(_, feed)| feed.revision.0);
        if after.0 + 1 < first {
            return Err(Error::Gone { oldest: first - 1 });
        }
        let later = self.feed.iter().map(|(_, feed)| feed).filter(|feed| feed.revision > after);
        Ok(later.take(page_limit(limit)).cloned().collect())
    }

    pub(super) fn touch(&mut self, keys: &[(KeyId, Timestamp)]) {
        for &(id, at) in keys {
            if let Some(Record::Key(key)) = self.records.get_mut(&(Noun::Key, id.0)) {
                key.last_used_at = key.last_used_at.max(Some(at));
            }
        }
    }

    pub(super) fn forget(&mut self, before: Timestamp, now: Timestamp) -> u64 {
        let entries = self.feed.len() + self.remembered.len();
        while self.feed.front().is_some_and(|&(at, _)| at < before) {
            self.feed.pop_front();
        }
        self.remembered.retain(|_, remembered| remembered.expires_at > now);
        (entries - self.feed.len() - self.remembered.len()) as u64
    }
}

/// Puts or removes; what was there before.
fn set<K: Ord, V>(map: &mut BTreeMap<K, V>, key: K, value: Option<V>) -> Option<V> {
    match value {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    }
}

/// The entries after `after`, in that order.
fn ordered<K: Ord, V>(
    map: &BTreeMap<K, V>,
    after: Option<K>,
    order: Order,
) -> Box<dyn Iterator<Item = (&K, &V)> + '_> {
    let after = after.map_or(Unbounded, Excluded);
    match order {
        Order::Ascending => Box::new(map.range((after, Unbounded))),
        Order::Descending => Box::new(map.range((Unbounded, after)).rev()),
    }
}
