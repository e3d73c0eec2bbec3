//! What a commit will write, found out before anything is written.
//!
//! A plan is a layer of rows over the open transaction: later changes of the commit see those of
//! earlier ones, and a change that can't be leaves nothing behind. What comes out is, table by
//! table and in key order, exactly the rows that differ, so that LMDB touches each page once.

use std::{borrow::Cow, collections::BTreeMap};

use heed::RwTxn;
use waypost_link::{Claim, LinkId, Name, Noun, Record, Remembered, Revision, Timestamp};
use waypost_storage::{Committed, Error};

use crate::{
    codec,
    fault::{Tried, corrupt},
    feed, keys, limits,
    read::{self, View},
    steps::{Face, LinkStep, RecordStep, Step, claims},
    tables::{LinkTable, Schema, Tables},
    transfer::{Restored, misplaced},
};

/// Tables whose new keys are mostly greater than all there are: appending fills their pages.
const GROWING: [LinkTable; 4] =
    [LinkTable::Links, LinkTable::Workspaces, LinkTable::Feed, LinkTable::Expiry];

/// Rows by key; `None` where one goes.
type Layer<'s> = BTreeMap<Vec<u8>, Option<Cow<'s, [u8]>>>;

/// A commit on its way.
pub(crate) struct Plan<'p, 's> {
    view: View<'p>,
    rows: Vec<Layer<'s>>,
    counts: BTreeMap<Vec<u8>, i64>,
    facets: BTreeMap<Vec<u8>, i64>,
    last_ids: BTreeMap<&'static str, u64>,
    remember: Vec<&'s Remembered>,
    ids: Vec<u64>,
    /// Those of `ids` that are new.
    made: Vec<u64>,
    /// The feed's entry, without its header.
    entry: Vec<u8>,
    followed: u64,
}

/// The outcome of a plan: rows to write.
pub(crate) struct Planned<'s> {
    rows: Vec<Layer<'s>>,
    committed: Committed,
}

impl<'p, 's> Plan<'p, 's> {
    /// An empty plan over `view`.
    pub(crate) fn new(view: View<'p>) -> Self {
        Self {
            view,
            rows: LinkTable::NAMES.iter().map(|_| Layer::new()).collect(),
            counts: BTreeMap::new(),
            facets: BTreeMap::new(),
            last_ids: BTreeMap::new(),
            remember: Vec::new(),
            ids: Vec::new(),
            made: Vec::new(),
            entry: Vec::new(),
            followed: 0,
        }
    }

    /// Takes the change numbered `index` in.
    pub(crate) fn add(&mut self, index: usize, step: &'s Step, now: Timestamp) -> Tried<()> {
        let id = match step {
            Step::Create(link) => self.create(index, link)?,
            Step::Update(link) => self.update(index, link)?,
            Step::Delete(id) => self.delete(index, *id)?,
            Step::Put(record) => self.put_record(index, record)?,
            Step::Drop(noun, id) => self.drop_record(index, *noun, *id)?,
            Step::Remember(answer) => self.remember(index, answer, now)?,
        };
        self.ids.push(id);
        Ok(())
    }

    /// What is to be written.
    pub(crate) fn finish(mut self, now: Timestamp) -> Tried<Planned<'s>> {
        self.add_up(LinkTable::Counts)?;
        self.add_up(LinkTable::Facets)?;
        for (name, id) in std::mem::take(&mut self.last_ids) {
            self.put(LinkTable::Meta, name.into(), codec::number(id));
        }
        for answer in std::mem::take(&mut self.remember) {
            let made = self.made.clone();
            self.keep(answer, &made);
        }
        let mut revision = self.view.meta(feed::HEAD)?;
        if self.followed > 0 {
            revision += 1;
            self.put(LinkTable::Meta, feed::HEAD.into(), codec::number(revision));
            let entry = std::mem::take(&mut self.entry);
            for (key, value) in feed::chunks(revision, now, self.followed, &entry) {
                self.put(LinkTable::Feed, key.into(), value);
            }
        }
        let committed = Committed { revision: Revision(revision), ids: self.ids };
        Ok(Planned { rows: self.rows, committed })
    }

    /// Takes in what another store had, by its id and in its version.
    pub(crate) fn restore(&mut self, piece: &'s Restored) -> Tried<()> {
        match piece {
            Restored::Step(Step::Create(link)) => {
                let id = link.id.0;
                self.claim(0, &link.face.claim, id)?;
                self.show(id, &link.face);
                self.put(LinkTable::Links, keys::with_id(&[], id), &*link.value);
            }
            Restored::Step(Step::Put(record)) => self.put_as_it_is(0, record, record.id)?,
            Restored::Step(Step::Remember(answer)) => self.keep(answer, &answer.ids),
            Restored::Step(_) => return Err(misplaced().into()),
            Restored::State(head, ids) => self.restore_state(head.0, ids),
        }
        Ok(())
    }

    /// The feed begins at the head.
    fn restore_state(&mut self, head: u64, ids: &[u64]) {
        self.put_meta(feed::HEAD, codec::number(head));
        self.put_meta(feed::TRIMMED, codec::number(head));
        let nouns = Noun::ALL.map(|noun| (Some(noun), usize::from(codec::noun(noun))));
        for (noun, at) in nouns.into_iter().chain([(None, 0)]) {
            let id = ids.get(at).copied().unwrap_or_default();
            self.put_meta(keys::counter(noun), codec::number(id));
        }
    }

    /// A value of `meta`.
    pub(crate) fn put_meta(&mut self, name: &str, value: Vec<u8>) {
        self.put(LinkTable::Meta, name.into(), value);
    }

    /// What is to be written of what was restored: no feed tells of it.
    pub(crate) fn finish_restored(mut self) -> Tried<Planned<'s>> {
        self.add_up(LinkTable::Counts)?;
        self.add_up(LinkTable::Facets)?;
        let committed = Committed { revision: Revision(0), ids: Vec::new() };
        Ok(Planned { rows: self.rows, committed })
    }

    fn create(&mut self, index: usize, link: &'s LinkStep) -> Tried<u64> {
        let id = self.next_id(None)?;
        self.claim(index, &link.face.claim, id)?;
        self.show(id, &link.face);
        self.follow(codec::Step::Created(LinkId(id), body(&link.value)));
        self.put(LinkTable::Links, keys::with_id(&[], id), &*link.value);
        Ok(id)
    }

    fn update(&mut self, index: usize, link: &'s LinkStep) -> Tried<u64> {
        let (id, key) = (link.id.0, keys::with_id(&[], link.id.0));
        let old = self.old_link(index, link.id, &key)?;
        if old.version != link.version {
            return Err(Error::Stale { index }.into());
        }
        let (was, face) = (old.name(), Face::of(&old));
        if face.claim != link.face.claim {
            self.give_up(&face.claim.1);
            self.claim(index, &link.face.claim, id)?;
        }
        if face != link.face {
            self.hide(id, &face);
            self.show(id, &link.face);
        }
        self.follow(codec::Step::Updated(link.id, &was, body(&link.value)));
        self.put(LinkTable::Links, key, &*link.value);
        Ok(id)
    }

    fn delete(&mut self, index: usize, id: LinkId) -> Tried<u64> {
        let key = keys::with_id(&[], id.0);
        let old = self.old_link(index, id, &key)?;
        let (was, face): (Name, _) = (old.name(), Face::of(&old));
        self.give_up(&face.claim.1);
        self.hide(id.0, &face);
        self.follow(codec::Step::Deleted(id, old.workspace, &was));
        self.take_away(LinkTable::Links, key);
        Ok(id.0)
    }

    fn put_record(&mut self, index: usize, record: &'s RecordStep) -> Tried<u64> {
        let id = match record.id {
            0 => self.next_id(Some(record.noun))?,
            id => {
                let old = self.hide_record(index, record.noun, id)?;
                if !old.is_succeeded_by(record.version) {
                    return Err(Error::Stale { index }.into());
                }
                id
            }
        };
        self.put_as_it_is(index, record, id)?;
        if record.followed {
            self.follow(codec::Step::Put(record.noun, id, body(&record.value)));
        }
        Ok(id)
    }

    /// Puts a record with its claims and its place in its workspace.
    fn put_as_it_is(&mut self, index: usize, record: &'s RecordStep, id: u64) -> Tried<()> {
        for claim in &record.claims {
            self.claim(index, claim, id)?;
        }
        if let Some(owner) = record.owner(id) {
            let key = keys::with_id(&keys::owned(record.noun, owner), id);
            self.put_empty(LinkTable::Owned, key);
        }
        self.put(LinkTable::Records, keys::record(record.noun, id), &*record.value);
        Ok(())
    }

    fn drop_record(&mut self, index: usize, noun: Noun, id: u64) -> Tried<u64> {
        self.hide_record(index, noun, id)?;
        if noun.is_followed() {
            self.follow(codec::Step::Gone(noun, id));
        }
        self.take_away(LinkTable::Records, keys::record(noun, id));
        Ok(id)
    }

    fn remember(&mut self, index: usize, answer: &'s Remembered, now: Timestamp) -> Tried<u64> {
        let twice = self.remember.iter().any(|other| other.scope == answer.scope);
        let old = self.view.remembered(&answer.scope)?;
        if twice || old.as_ref().is_some_and(|old| old.expires_at > now) {
            let claim = Box::new(Claim::Scope(answer.scope));
            return Err(Error::Taken { index, claim, holder: 0 }.into());
        }
        if let Some(old) = old {
            self.take_away(LinkTable::Expiry, keys::expiry(old.expires_at, &old.scope));
        }
        self.remember.push(answer);
        Ok(0)
    }

    fn keep(&mut self, answer: &Remembered, ids: &[u64]) {
        let mut value = Vec::new();
        codec::remembered(&mut value, answer, ids);
        self.put(LinkTable::Remembered, answer.scope.into(), codec::seal(value));
        self.put_empty(LinkTable::Expiry, keys::expiry(answer.expires_at, &answer.scope));
    }

    fn next_id(&mut self, noun: Option<Noun>) -> Tried<u64> {
        let name = keys::counter(noun);
        let last = match self.last_ids.get(name) {
            Some(last) => *last,
            None => self.view.meta(name)?,
        };
        self.last_ids.insert(name, last + 1);
        self.made.push(last + 1);
        Ok(last + 1)
    }

    /// The link as the changes so far leave it.
    fn old_link(&self, index: usize, id: LinkId, key: &[u8]) -> Tried<waypost_link::Link> {
        let value = self.get(LinkTable::Links, key)?.ok_or(Error::Missing { index })?;
        read::link(id, value)
    }

    /// Takes a record's claims, its place in its workspace, and how it was touched; what it was.
    fn hide_record(&mut self, index: usize, noun: Noun, id: u64) -> Tried<Record> {
        let value = self.get(LinkTable::Records, &keys::record(noun, id))?;
        let old = read::record(noun, id, value.ok_or(Error::Missing { index })?)?;
        for (_, key) in claims(&old) {
            self.give_up(&key);
        }
        if let Some(owner) = old.workspace() {
            self.take_away(LinkTable::Owned, keys::with_id(&keys::owned(noun, owner), id));
        }
        if noun == Noun::Key {
            self.take_away(LinkTable::Touched, keys::with_id(&[], id));
        }
        Ok(old)
    }

    fn claim(&mut self, index: usize, (claim, key): &(Claim, Vec<u8>), id: u64) -> Tried<()> {
        if let Some(value) = self.get(LinkTable::Claims, key)? {
            let holder = read::number(LinkTable::Claims, value)?;
            return Err(Error::Taken { index, claim: Box::new(claim.clone()), holder }.into());
        }
        self.put(LinkTable::Claims, key.clone(), codec::number(id));
        Ok(())
    }

    fn give_up(&mut self, key: &[u8]) {
        self.take_away(LinkTable::Claims, key.to_vec());
    }

    /// Puts a link into the indexes.
    fn show(&mut self, id: u64, face: &Face) {
        for (table, front) in face.fronts() {
            self.put_empty(table, keys::with_id(&front, id));
        }
        self.count(face, 1);
    }

    /// Takes a link out of the indexes.
    fn hide(&mut self, id: u64, face: &Face) {
        for (table, front) in face.fronts() {
            self.take_away(table, keys::with_id(&front, id));
        }
        self.count(face, -1);
    }

    fn count(&mut self, face: &Face, by: i64) {
        *self.counts.entry(keys::workspace(face.workspace)).or_default() += by;
        for (_, facet) in &face.attributes {
            *self.facets.entry(facet.clone()).or_default() += by;
        }
    }

    /// Adds the differences to a table's counters; one that comes to nothing goes.
    fn add_up(&mut self, table: LinkTable) -> Tried<()> {
        let counters = if table == LinkTable::Counts { &mut self.counts } else { &mut self.facets };
        for (key, by) in std::mem::take(counters) {
            if by == 0 {
                continue;
            }
            let old = self.view.number(table, &key)?.unwrap_or_default();
            match old.checked_add_signed(by) {
                None => return Err(corrupt(table.name(), "a counter below nothing").into()),
                Some(0) => self.take_away(table, key),
                Some(new) => self.put(table, key, codec::number(new)),
            }
        }
        Ok(())
    }

    fn follow(&mut self, step: codec::Step<'_>) {
        codec::step(&mut self.entry, step);
        self.followed += 1;
    }

    /// The value as the changes so far leave it.
    fn get(&self, table: LinkTable, key: &[u8]) -> Tried<Option<&[u8]>> {
        match self.rows[table.place()].get(key) {
            Some(row) => Ok(row.as_deref()),
            None => self.view.value(table, key),
        }
    }

    fn put(&mut self, table: LinkTable, key: Vec<u8>, value: impl Into<Cow<'s, [u8]>>) {
        self.rows[table.place()].insert(key, Some(value.into()));
    }

    fn put_empty(&mut self, table: LinkTable, key: Vec<u8>) {
        self.put(table, key, &[][..]);
    }

    fn take_away(&mut self, table: LinkTable, key: Vec<u8>) {
        self.rows[table.place()].insert(key, None);
    }
}

impl Face {
    /// The fronts of this link's index keys.
    pub(crate) fn fronts(&self) -> impl Iterator<Item = (LinkTable, Cow<'_, [u8]>)> {
        let workspace = (LinkTable::Workspaces, Cow::Owned(keys::workspace(self.workspace)));
        let collection =
            self.collection.map(|id| (LinkTable::Collections, Cow::Owned(keys::collection(id))));
        let attributes = self
            .attributes
            .iter()
            .map(|(front, _)| (LinkTable::Attributes, Cow::Borrowed(&**front)));
        [workspace].into_iter().chain(collection).chain(attributes)
    }
}

impl Planned<'_> {
    /// Writes the rows.
    pub(crate) fn write(self, tables: &Tables<LinkTable>, txn: &mut RwTxn<'_>) -> Tried<Committed> {
        for &table in LinkTable::ALL {
            let layer = &self.rows[table.place()];
            if !layer.is_empty() {
                write_layer(tables, txn, table, layer)?;
            }
        }
        Ok(self.committed)
    }
}

fn write_layer(
    tables: &Tables<LinkTable>,
    txn: &mut RwTxn<'_>,
    table: LinkTable,
    layer: &Layer<'_>,
) -> Tried<()> {
    let rows = tables.at(table);
    let mut last = match GROWING.contains(&table) {
        true => rows.last(txn)?.map(<[u8]>::to_vec).unwrap_or_default(),
        false => vec![u8::MAX; limits::KEY],
    };
    for (key, value) in layer {
        match value {
            None => drop(rows.delete(txn, key)?),
            Some(value) => {
                let grows = *key > last;
                if grows {
                    last.clear();
                }
                rows.put(txn, key, value, grows)?;
            }
        }
    }
    Ok(())
}

/// A sealed value without its seal: what the feed's own seal covers.
fn body(value: &[u8]) -> &[u8] {
    value.split_last_chunk::<4>().map_or(value, |(bytes, _)| bytes)
}

/// Plans and writes `steps`: all of them, or a refusal and nothing.
pub(crate) fn commit(
    tables: &Tables<LinkTable>,
    txn: &mut RwTxn<'_>,
    steps: &[Step],
    now: Timestamp,
) -> Tried<Committed> {
    let mut plan = Plan::new(View::new(tables, txn));
    for (index, step) in steps.iter().enumerate() {
        plan.add(index, step, now)?;
    }
    plan.finish(now)?.write(tables, txn)
}
