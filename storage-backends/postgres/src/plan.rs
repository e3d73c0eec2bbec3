//! What a commit will write, found out before anything is written.
//!
//! What the changes touch is read once; the changes are then done to that copy, in order, each
//! seeing those before it. Where one can't be, nothing was written. What comes out is the rows
//! that differ, and the feed's entry.

use std::collections::{BTreeMap, BTreeSet};

use waypost_link::{Change, Claim, Link, LinkId, Noun, Record, Remembered, Timestamp};
use waypost_storage::{Error, Result, codec};

/// What is stored of all that a commit touches.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    pub(crate) links: BTreeMap<u64, Link>,
    pub(crate) records: BTreeMap<(Noun, u64), Record>,
    pub(crate) claims: BTreeMap<Vec<u8>, u64>,
    pub(crate) remembered: BTreeMap<[u8; 32], Remembered>,
    /// The last id of links, then of each noun by its number.
    pub(crate) last_ids: Vec<i64>,
}

/// A commit on its way.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) stored: Stored,
    /// The last link's id before this commit.
    pub(crate) last: u64,
    /// Links that differ: there with their new state, or gone.
    pub(crate) links: BTreeSet<u64>,
    /// Records that differ.
    pub(crate) records: BTreeSet<(Noun, u64)>,
    /// Claims that differ.
    pub(crate) claims: BTreeSet<Vec<u8>>,
    /// Answers to keep.
    pub(crate) remember: Vec<Remembered>,
    /// For each change its object's id.
    pub(crate) ids: Vec<u64>,
    /// The feed's changes, spelled out.
    pub(crate) entry: Vec<u8>,
    /// How many those are.
    pub(crate) followed: u64,
    made: Vec<u64>,
}

impl Plan {
    /// The plan of `changes` over what is `stored`.
    pub(crate) fn of(stored: Stored, changes: &[Change], now: Timestamp) -> Result<Self> {
        let last = stored.last_ids.first().map_or(0, |id| *id as u64);
        let mut plan = Self { stored, last, ..Self::default() };
        for (index, change) in changes.iter().enumerate() {
            let id = plan.apply(index, change, now)?;
            plan.ids.push(id);
        }
        for answer in &mut plan.remember {
            answer.ids.clone_from(&plan.made);
        }
        Ok(plan)
    }

    /// A plan that writes links which may be there, with what they had.
    pub(crate) fn over() -> Self {
        Self { last: u64::MAX, ..Self::default() }
    }

    /// Takes claims that nobody else holds, for the object of this id.
    pub(crate) fn claims_of(&mut self, claims: &[Claim], id: u64) {
        for key in claims.iter().filter_map(codec::claim) {
            self.stored.claims.insert(key.clone(), id);
            self.claims.insert(key);
        }
    }

    fn apply(&mut self, index: usize, change: &Change, now: Timestamp) -> Result<u64> {
        match change {
            Change::CreateLink(link) => self.create(index, link),
            Change::UpdateLink { link, .. } => self.update(index, link),
            Change::DeleteLink { id, .. } => self.delete(index, *id),
            Change::PutRecord(record) => self.put(index, record),
            Change::DeleteRecord { noun, id } => self.drop_record(index, *noun, *id),
            Change::Remember(answer) => self.remember(index, answer, now),
        }
    }

    fn create(&mut self, index: usize, link: &Link) -> Result<u64> {
        let id = self.next_id(0);
        let link = Link { id: LinkId(id), version: 1, ..link.clone() };
        self.claim(index, link.claim(), id)?;
        self.follow(codec::Step::Created(link.id, &codec::link_bytes(&link, link.version)));
        self.set_link(link);
        Ok(id)
    }

    fn update(&mut self, index: usize, link: &Link) -> Result<u64> {
        let old = self.stored.links.get(&link.id.0).ok_or(Error::Missing { index })?;
        if old.version != link.version {
            return Err(Error::Stale { index });
        }
        let (was, before) = (old.name(), old.claim());
        let link = Link { version: old.version + 1, ..link.clone() };
        if before != link.claim() {
            self.give_up(&before);
            self.claim(index, link.claim(), link.id.0)?;
        }
        self.follow(codec::Step::Updated(link.id, &was, &codec::link_bytes(&link, link.version)));
        let id = link.id.0;
        self.set_link(link);
        Ok(id)
    }

    fn delete(&mut self, index: usize, id: LinkId) -> Result<u64> {
        let old = self.stored.links.remove(&id.0).ok_or(Error::Missing { index })?;
        self.give_up(&old.claim());
        self.links.insert(id.0);
        self.follow(codec::Step::Deleted(id, old.workspace, &old.name()));
        Ok(id.0)
    }

    fn put(&mut self, index: usize, record: &Record) -> Result<u64> {
        let (mut record, noun) = (record.clone(), record.noun());
        match record.id() {
            0 => record.set_id(self.next_id(codec::noun(noun))),
            id => {
                let old = self.stored.records.get(&(noun, id)).ok_or(Error::Missing { index })?;
                if !old.is_succeeded_by(record.version()) {
                    return Err(Error::Stale { index });
                }
                old.claims().iter().for_each(|claim| self.give_up(claim));
            }
        }
        let id = record.id();
        for claim in record.claims() {
            self.claim(index, claim, id)?;
        }
        if record.is_followed() {
            self.follow(codec::Step::Put(noun, id, &codec::record_bytes(&record)));
        }
        self.stored.records.insert((noun, id), record);
        self.records.insert((noun, id));
        Ok(id)
    }

    fn drop_record(&mut self, index: usize, noun: Noun, id: u64) -> Result<u64> {
        let old = self.stored.records.remove(&(noun, id)).ok_or(Error::Missing { index })?;
        old.claims().iter().for_each(|claim| self.give_up(claim));
        self.records.insert((noun, id));
        if noun.is_followed() {
            self.follow(codec::Step::Gone(noun, id));
        }
        Ok(id)
    }

    fn remember(&mut self, index: usize, answer: &Remembered, now: Timestamp) -> Result<u64> {
        let twice = self.remember.iter().any(|other| other.scope == answer.scope);
        let old = self.stored.remembered.get(&answer.scope);
        if twice || old.is_some_and(|old| old.expires_at > now) {
            let claim = Box::new(Claim::Scope(answer.scope));
            return Err(Error::Taken { index, claim, holder: 0 });
        }
        self.remember.push(answer.clone());
        Ok(0)
    }

    /// The next id of a noun by its number, 0 for links.
    fn next_id(&mut self, noun: u8) -> u64 {
        let at = usize::from(noun);
        if self.stored.last_ids.len() <= at {
            self.stored.last_ids.resize(at + 1, 0);
        }
        self.stored.last_ids[at] += 1;
        let id = self.stored.last_ids[at] as u64;
        self.made.push(id);
        id
    }

    fn set_link(&mut self, link: Link) {
        self.links.insert(link.id.0);
        self.stored.links.insert(link.id.0, link);
    }

    fn claim(&mut self, index: usize, claim: Claim, id: u64) -> Result<()> {
        let Some(key) = codec::claim(&claim) else { return Ok(()) };
        if let Some(&holder) = self.stored.claims.get(&key) {
            return Err(Error::Taken { index, claim: Box::new(claim), holder });
        }
        self.stored.claims.insert(key.clone(), id);
        self.claims.insert(key);
        Ok(())
    }

    fn give_up(&mut self, claim: &Claim) {
        if let Some(key) = codec::claim(claim) {
            self.stored.claims.remove(&key);
            self.claims.insert(key);
        }
    }

    fn follow(&mut self, step: codec::Step<'_>) {
        codec::step(&mut self.entry, step);
        self.followed += 1;
    }
}
