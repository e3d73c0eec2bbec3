//! The one writer's state, and what each change does to it.
//!
//! Feeds bring commits in order; a link's version rises with every change. So a change is ignored
//! where the index holds that link, under its old name or its new one, in that version or a later
//! one. A name that another link holds goes to the change's link: the feed says so, and that
//! other link's own change comes or has come.
//!
//! While an index is loaded it may be ahead of the changes that it is caught up with, by several
//! renames at once: then versions are looked up by id, in a map that is dropped on publishing.

use std::{
    collections::{BTreeMap, HashMap},
    num::NonZero,
    ops::Range,
    panic::resume_unwind,
    sync::Arc,
    thread,
};

use ahash::RandomState;
use waypost_link::{Change, DomainId, Link, LinkId, Name, Noun, Record};

use crate::{
    Details, Directory, Entry, Limit, Spent, Stats,
    ground::Ground,
    limits::{LOADING_ROOM, SETTLED_AT_ONCE, SETTLED_BYTES, SHARDS},
    members::Members,
    shard::Shard,
    table::{Key, Shelf, Table},
};

/// The readers' tables, in the order of the hash's top bits.
pub(crate) type Shards = Box<[Shard]>;

/// Hashes names with keys that no stranger knows.
#[derive(Clone, Default)]
pub(crate) struct Hasher(RandomState);

impl Hasher {
    #[inline]
    pub(crate) fn key<'a>(&self, domain: DomainId, code: &'a str) -> Key<'a> {
        Key { hash: self.0.hash_one((domain.0, code)), domain, code }
    }

    fn name<'a>(&self, name: &'a Name) -> Key<'a> {
        self.key(name.domain, name.slug.as_str())
    }
}

/// Click counters by link: they outlive every version of their link.
pub(crate) type Counters = HashMap<LinkId, Arc<Spent>, RandomState>;

pub(crate) struct Writer {
    pub(crate) hasher: Hasher,
    ground: Arc<Ground>,
    shelves: Vec<Shelf>,
    pub(crate) counters: Counters,
    /// Whether counters are of what is lent.
    pub(crate) lends: bool,
    /// Counters of the index that this one is to replace, which hold clicks no store has yet.
    inherited: Counters,
    members: Members,
    records: BTreeMap<(Noun, u64), Record>,
    records_changed: bool,
    /// Tables that a reader may still be in. They are freed here, never by a reader.
    retired: Vec<Arc<Table>>,
    rebuilds: u64,
    /// How many times its entries a rebuilt table has room for.
    room: usize,
    /// Links that became limited while they may already have had clicks.
    limited: Vec<LinkId>,
    /// The version held of each link, while changes may be older than what is held.
    versions: Option<HashMap<LinkId, u64, RandomState>>,
}

impl Writer {
    pub(crate) fn new(hasher: Hasher, inherited: Counters, lends: bool) -> Self {
        let ground = Arc::<Ground>::default();
        Self {
            hasher,
            shelves: (0..SHARDS).map(|_| Shelf::new(&ground, 0, 0, 0)).collect(),
            ground,
            counters: Counters::default(),
            lends,
            inherited,
            members: Members::default(),
            records: BTreeMap::new(),
            records_changed: false,
            retired: Vec::new(),
            rebuilds: 0,
            room: 1,
            limited: Vec::new(),
            versions: None,
        }
    }

    /// The tables for readers, as they are now.
    pub(crate) fn tables(&self) -> impl Iterator<Item = Arc<Table>> {
        self.shelves.iter().map(|shelf| Arc::clone(shelf.table()))
    }

    /// Applies a change to tables that readers see through `shards`.
    pub(crate) fn apply(&mut self, shards: &Shards, change: &Change) {
        match change {
            Change::CreateLink(link) => self.put(shards, link, None, Some(0)),
            Change::UpdateLink { link, was } => self.put(shards, link, Some(was), None),
            Change::DeleteLink { id, was, .. } => self.delete(shards, *id, was),
            Change::PutRecord(record) => self.put_record(record.clone()),
            Change::DeleteRecord { noun, id } => {
                self.records_changed |= self.records.remove(&(*noun, *id)).is_some();
            }
            Change::Remember(_) => {}
        }
    }

    /// Puts a link of a loaded page, with the clicks that the store has counted for it.
    pub(crate) fn load(&mut self, shards: &Shards, link: &Link, spent: u64) {
        self.room = LOADING_ROOM;
        self.put(shards, link, None, Some(spent));
    }

    /// From now on changes may be older than what is held, under names it never had here.
    pub(crate) fn expect_old_changes(&mut self) {
        if self.versions.is_none() {
            let entries = self.shelves.iter().flat_map(|shelf| shelf.table().entries());
            self.versions = Some(entries.map(|entry| (entry.id, entry.version)).collect());
        }
    }

    /// After loading: gives all tables the size that they have come to, those of a large index on
    /// ground of huge pages. While they grew they would have left holes there that no later table
    /// fits.
    pub(crate) fn settle(&mut self, shards: &Shards) {
        if std::mem::replace(&mut self.room, 1) == 1 {
            return;
        }
        if self.shelves.iter().map(Shelf::live_bytes).sum::<usize>() >= SETTLED_BYTES {
            self.ground = Arc::new(Ground::settled());
        }
        for from in (0..SHARDS).step_by(SETTLED_AT_ONCE) {
            let fresh = self.settled(from..SHARDS.min(from + SETTLED_AT_ONCE));
            for (nth, shelf) in (from..).zip(fresh) {
                self.replace(shards, nth, shelf);
            }
        }
    }

    /// The tables of these shards in the size that they need, made by all processors that there are.
    fn settled(&self, shards: Range<usize>) -> Vec<Shelf> {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let part = shards.len().div_ceil(threads);
        let rebuilt =
            |shelf: &Shelf| shelf.rebuilt(&self.ground, 1, None, |entry| self.hash(entry));
        thread::scope(|scope| {
            let parts = self.shelves[shards].chunks(part);
            let parts: Vec<_> = parts
                .map(|part| scope.spawn(move || part.iter().map(rebuilt).collect::<Vec<_>>()))
                .collect();
            let done = |part: thread::ScopedJoinHandle<'_, Vec<Shelf>>| {
                part.join().unwrap_or_else(|panic| resume_unwind(panic))
            };
            parts.into_iter().flat_map(done).collect()
        })
    }

    /// Takes the place of `old`, whose readers may still be in its tables.
    pub(crate) fn succeed(&mut self, old: Self) {
        self.versions = None;
        self.inherited = Counters::default();
        self.records_changed = true;
        self.retired = old.retired;
        self.rebuilds += old.rebuilds;
    }

    pub(crate) fn put_record(&mut self, record: Record) {
        if Directory::holds(record.noun()) {
            self.records.insert((record.noun(), record.id()), record);
            self.records_changed = true;
        }
    }

    /// What all tables hold.
    pub(crate) fn stats(&self) -> Stats {
        let (limited, rebuilds) = (self.counters.len(), self.rebuilds);
        let none = Stats { bytes: self.ground.idle(), limited, rebuilds, ..Stats::default() };
        self.shelves.iter().fold(none, |sum, shelf| Stats {
            links: sum.links + shelf.live(),
            bytes: sum.bytes + shelf.bytes(),
            waste: sum.waste + shelf.waste(),
            ..sum
        })
    }

    /// A new directory, if records changed since the last one.
    pub(crate) fn directory(&mut self) -> Option<Directory> {
        std::mem::take(&mut self.records_changed)
            .then(|| Directory::build(&self.records, &mut self.members))
    }

    /// The links that became limited since this was last asked.
    pub(crate) fn take_limited(&mut self) -> Vec<LinkId> {
        std::mem::take(&mut self.limited)
    }

    /// Keeps `table` until its last reader has left.
    pub(crate) fn retire(&mut self, table: Arc<Table>) {
        self.retired.push(table);
        self.free_retired();
    }

    /// Frees retired tables that nobody reads any more.
    pub(crate) fn free_retired(&mut self) {
        self.retired.retain(|table| Arc::strong_count(table) > 1);
    }

    /// Puts `link`, whose name was `was`, and which had `before` clicks if that is known.
    fn put(&mut self, shards: &Shards, link: &Link, was: Option<&Name>, before: Option<u64>) {
        let hasher = self.hasher.clone();
        let new = hasher.key(link.domain, link.slug.as_str());
        let old = was.map(|was| hasher.name(was)).filter(|old| !same(old, &new));
        let held_old = old.and_then(|old| self.version(old, link.id));
        let held = match &self.versions {
            Some(versions) => versions.get(&link.id).copied(),
            None => held_old.max(self.version(new, link.id)),
        };
        if held.is_some_and(|held| held >= link.version) {
            return;
        }
        self.note_version(new, link);
        let details = self.details(link, before).map(Arc::new);
        let entry = Entry {
            id: link.id,
            workspace: link.workspace,
            domain: link.domain,
            version: link.version,
            status: link.status,
            flags: link.flags,
            code: link.slug.as_str(),
            destination: link.destination.as_str(),
            details: details.as_ref(),
        };
        self.put_entry(shards, new.hash, &entry);
        if let (Some(old), Some(_)) = (old, held_old) {
            self.remove_entry(shards, old);
        }
        self.members.put(link);
    }

    fn delete(&mut self, shards: &Shards, id: LinkId, was: &Name) {
        let hasher = self.hasher.clone();
        let key = hasher.name(was);
        if self.version(key, id).is_some() {
            self.remove_entry(shards, key);
        }
        self.members.remove(id);
        self.counters.remove(&id);
    }

    /// The version of link `id` that is held under this name.
    fn version(&self, key: Key<'_>, id: LinkId) -> Option<u64> {
        let entry = self.shelves[Shard::of(key.hash)].table().find(key)?;
        (entry.id == id).then_some(entry.version)
    }

    /// While changes may be old: `link` is held now, and the one whose name it takes no longer,
    /// so that this one's own change brings it back.
    fn note_version(&mut self, name: Key<'_>, link: &Link) {
        let Some(versions) = &mut self.versions else { return };
        if let Some(other) = self.shelves[Shard::of(name.hash)].table().find(name) {
            versions.remove(&other.id);
        }
        versions.insert(link.id, link.version);
    }

    fn put_entry(&mut self, shards: &Shards, hash: u64, entry: &Entry<'_>) {
        let nth = Shard::of(hash);
        if self.shelves[nth].put(hash, entry).is_err() {
            self.rebuild(shards, nth, Some(entry));
        }
        self.tidy(shards, nth);
    }

    fn remove_entry(&mut self, shards: &Shards, key: Key<'_>) {
        let nth = Shard::of(key.hash);
        self.shelves[nth].remove(key);
        self.tidy(shards, nth);
    }

    fn tidy(&mut self, shards: &Shards, nth: usize) {
        if self.shelves[nth].is_wasteful() {
            self.rebuild(shards, nth, None);
        }
    }

    /// Rebuilds one table, with `entry` in it, and swaps it in.
    fn rebuild(&mut self, shards: &Shards, nth: usize, entry: Option<&Entry<'_>>) {
        let hash = |entry: &Entry<'_>| self.hash(entry);
        let fresh = self.shelves[nth].rebuilt(&self.ground, self.room, entry, hash);
        self.replace(shards, nth, fresh);
    }

    /// Swaps in a table that was rebuilt.
    fn replace(&mut self, shards: &Shards, nth: usize, fresh: Shelf) {
        let table = Arc::clone(fresh.table());
        drop(std::mem::replace(&mut self.shelves[nth], fresh));
        self.retire(shards[nth].swap(table));
        self.rebuilds += 1;
    }

    fn hash(&self, entry: &Entry<'_>) -> u64 {
        self.hasher.key(entry.domain, entry.code).hash
    }

    fn details(&mut self, link: &Link, before: Option<u64>) -> Option<Details> {
        let limit = match link.max_clicks {
            Some(max) => Some(Limit { max, spent: self.counter(link.id, before) }),
            None => {
                self.counters.remove(&link.id);
                None
            }
        };
        Details::wanted(link).then(|| Details::of(link, limit))
    }

    /// The counter of a limited link. A new one starts after `before` clicks; where that isn't
    /// known, the link is reported.
    fn counter(&mut self, id: LinkId, before: Option<u64>) -> Arc<Spent> {
        if let Some(counter) = self.counters.get(&id) {
            return Arc::clone(counter);
        }
        let lends = self.lends;
        let counter = self.inherited.remove(&id).unwrap_or_else(|| {
            let counter = Arc::new(if lends { Spent::lending() } else { Spent::default() });
            match before {
                Some(clicks) => counter.set_before(clicks),
                None => self.limited.push(id),
            }
            counter
        });
        self.counters.insert(id, Arc::clone(&counter));
        counter
    }
}

fn same(one: &Key<'_>, other: &Key<'_>) -> bool {
    one.domain == other.domain && one.code == other.code
}
