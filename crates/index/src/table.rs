//! One shard's table: lines of slots over an arena of entries.
//!
//! A key's first line comes from its hash; when that is full, the next comes from the hash mixed
//! again, so that lines fill evenly and a lookup ends after a few. Entries never move within a
//! table: readers see a key's old entry or its new one, never neither.
//!
//! The table is changed through its one [`Shelf`], which also says when to rebuild it.

use std::sync::Arc;

use waypost_link::DomainId;

use crate::{
    Details, Entry,
    arena::{Appender, Arena, Location},
    entry,
    ground::Ground,
    limits::{GROUP, PROBES, WASTE_BYTES, WASTE_PART},
    line::{EMPTY, FULL, Line, Lines},
    sync::OnceLock,
};

/// Most bytes of an entry beside code and destination.
const ENTRY_BYTES: usize = 56;

/// What is looked up, with its hash. Bits 56 up choose the shard, 24 up the line, 0 up the tag.
#[derive(Clone, Copy)]
pub(crate) struct Key<'a> {
    pub(crate) hash: u64,
    pub(crate) domain: DomainId,
    pub(crate) code: &'a str,
}

impl Key<'_> {
    #[inline]
    fn tag(&self) -> u8 {
        tag(self.hash)
    }
}

#[inline]
fn tag(hash: u64) -> u8 {
    (hash as u8).max(FULL)
}

/// The readers' side. In this order a lookup finds all it needs in one cache line: where the
/// lines are, and the arena's first chunk, which holds what was there at the last rebuild.
#[repr(C, align(64))]
pub(crate) struct Table {
    lines: Lines,
    arena: Arena,
    asides: Box<[OnceLock<Arc<Details>>]>,
}

impl Table {
    /// The entry of `key`.
    #[inline]
    pub(crate) fn find(&self, key: Key<'_>) -> Option<Entry<'_>> {
        let lines = self.lines.all();
        for nth in 0..PROBES + lines.len() {
            let line = nth_line(lines, key.hash, nth);
            let tags = line.tags();
            for slot in tags.of(key.tag()) {
                let aside = |number| self.aside(number);
                let at = line.place(slot);
                let found = entry::read_if(&self.arena, at, key.domain, key.code, aside);
                if found.is_some() {
                    return found;
                }
            }
            if !tags.of(EMPTY).none() {
                return None;
            }
        }
        None
    }

    /// All lines.
    pub(crate) fn lines(&self) -> &[Line] {
        self.lines.all()
    }

    /// Asks for the entries in the first line of a hash that may be of such a key.
    #[inline]
    pub(crate) fn prefetch_entry(&self, hash: u64) {
        let line = nth_line(self.lines.all(), hash, 0);
        for slot in line.tags().of(tag(hash)) {
            entry::prefetch(&self.arena, line.place(slot));
        }
    }

    #[inline]
    fn aside(&self, number: u32) -> Option<&Arc<Details>> {
        self.asides.get(number as usize)?.get()
    }

    /// Every entry, with the options aside.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let all = self.lines.all().iter();
        let places = all.flat_map(|line| line.tags().full().map(|slot| line.place(slot)));
        places.map(|at| self.entry(at).0)
    }

    /// The entry at `at`, and the bytes that it takes.
    fn entry(&self, at: Location) -> (Entry<'_>, usize) {
        let (entry, length) = entry::read(&self.arena, at, |number| self.aside(number));
        (entry, self.arena.taken_by(length))
    }
}

/// The `nth` line that may hold a key of this hash: a few by hashing, then all in turn, so that
/// even a thousand equal hashes are found again.
#[inline]
fn nth_line(lines: &[Line], hash: u64, nth: usize) -> &Line {
    &lines[line_number(hash, nth, lines.len())]
}

/// The number of that line among so many.
#[inline]
pub(crate) fn line_number(hash: u64, nth: usize, lines: usize) -> usize {
    if nth >= PROBES {
        return nth - PROBES;
    }
    let mixed = (nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (hash >> 24);
    let mixed = if nth == 0 { mixed } else { mixed.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32 };
    (((mixed & u64::from(u32::MAX)) * lines as u64) >> 32) as usize
}

/// The table has no room as it is and must be rebuilt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NoRoom;

/// The writer's side of a table: the only thing that changes it.
pub(crate) struct Shelf {
    table: Arc<Table>,
    appender: Appender,
    scratch: Vec<u8>,
    /// Entries.
    live: usize,
    /// Bytes of those entries in the arena.
    live_bytes: usize,
    /// Bytes in the arena of entries that are no longer.
    waste: usize,
    /// Slots that aren't empty.
    used: usize,
    asides_used: usize,
    asides_live: usize,
}

/// A slot that a key has or may take.
struct Place<'a> {
    line: &'a Line,
    slot: usize,
    tag: u8,
    /// How many lines were visited.
    visited: usize,
}

impl Shelf {
    /// An empty table with room for `entries` of `bytes` in all, `asides` of them with options.
    pub(crate) fn new(ground: &Arc<Ground>, entries: usize, bytes: usize, asides: usize) -> Self {
        let lines = (entries * 25 / 16).div_ceil(GROUP).max(1);
        let asides = if asides == 0 { 0 } else { asides + (asides / 4).max(entries / 64) + 4 };
        let (arena, appender) = Arena::new(ground, bytes);
        let asides = (0..asides).map(|_| OnceLock::new()).collect();
        let table = Table { lines: Lines::new(ground, lines), arena, asides };
        Self {
            table: Arc::new(table),
            appender,
            scratch: Vec::new(),
            live: 0,
            live_bytes: 0,
            waste: 0,
            used: 0,
            asides_used: 0,
            asides_live: 0,
        }
    }

    /// The same entries and `entry` in a table with room for `times` as many.
    pub(crate) fn rebuilt(
        &self,
        ground: &Arc<Ground>,
        times: usize,
        entry: Option<&Entry<'_>>,
        hash: impl Fn(&Entry<'_>) -> u64,
    ) -> Self {
        let mut entries = (self.live + 1) * times;
        let more =
            entry.map_or(0, |entry| ENTRY_BYTES + entry.code.len() + entry.destination.len());
        let asides = self.asides_live + usize::from(entry.is_some_and(|e| e.details.is_some()));
        loop {
            let bytes = (self.live_bytes + more) * times;
            let mut fresh = Self::new(ground, entries, bytes, asides * times);
            let mut all = self.table.entries().chain(entry.copied());
            if all.all(|entry| fresh.put(hash(&entry), &entry).is_ok()) {
                return fresh;
            }
            entries += entries / 4 + GROUP;
        }
    }

    pub(crate) fn table(&self) -> &Arc<Table> {
        &self.table
    }

    pub(crate) fn live(&self) -> usize {
        self.live
    }

    pub(crate) fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    pub(crate) fn waste(&self) -> usize {
        self.waste
    }

    /// Bytes that the table has allocated, all in all.
    pub(crate) fn bytes(&self) -> usize {
        size_of::<Table>()
            + self.table.lines.bytes()
            + size_of_val(&*self.table.asides)
            + self.appender.allocated()
    }

    /// Whether a rebuild would give back much.
    pub(crate) fn is_wasteful(&self) -> bool {
        self.waste > self.live_bytes / WASTE_PART + WASTE_BYTES
    }

    /// Puts `entry` in the place of the one of its name, or in a new one.
    pub(crate) fn put(&mut self, hash: u64, entry: &Entry<'_>) -> Result<(), NoRoom> {
        let table = Arc::clone(&self.table);
        let key = Key { hash, domain: entry.domain, code: entry.code };
        let place = self.place(&table, key).ok_or(NoRoom)?;
        let aside = self.put_aside(&table, entry)?;
        self.scratch.clear();
        entry::encode(entry, aside, &mut self.scratch);
        let at = self.appender.append(&table.arena, &self.scratch).ok_or(NoRoom)?;
        let old = place.entry(&table);
        place.line.fill(place.slot, key.tag(), at);
        self.asides_live += usize::from(aside.is_some());
        self.live_bytes += table.arena.taken_by(self.scratch.len());
        self.live += 1;
        self.used += usize::from(place.tag == EMPTY);
        self.forget(old);
        Ok(())
    }

    /// Takes the entry of `key` away.
    pub(crate) fn remove(&mut self, key: Key<'_>) {
        let table = Arc::clone(&self.table);
        if let Some(place) = find_slot(&table, key) {
            place.line.clear(place.slot);
            self.forget(place.entry(&table));
        }
    }

    /// Counts an entry as waste.
    fn forget(&mut self, old: Option<(Entry<'_>, usize)>) {
        if let Some((entry, bytes)) = old {
            self.asides_live -= usize::from(entry.details.is_some());
            self.live -= 1;
            self.live_bytes -= bytes;
            self.waste += bytes;
        }
    }

    fn put_aside(&mut self, table: &Table, entry: &Entry<'_>) -> Result<Option<u32>, NoRoom> {
        let Some(details) = entry.details else { return Ok(None) };
        let number = self.asides_used;
        let slot = table.asides.get(number).ok_or(NoRoom)?;
        slot.get_or_init(|| Arc::clone(details));
        self.asides_used += 1;
        Ok(Some(number as u32))
    }

    /// Where `key` is, or may be put. `None` where the table is too full for it.
    fn place<'a>(&self, table: &'a Table, key: Key<'_>) -> Option<Place<'a>> {
        if let Some(place) = find_slot(table, key) {
            return Some(place);
        }
        let slots = table.lines.all().len() * GROUP;
        let place = free_slot(table, key.hash)?;
        let crowded = place.tag == EMPTY && (self.used + 1) * 5 > slots * 4;
        let far = place.visited >= PROBES && self.live * 4 > slots;
        (!crowded && !far).then_some(place)
    }
}

impl<'a> Place<'a> {
    /// The entry that was there, and the bytes that it takes.
    fn entry(&self, table: &'a Table) -> Option<(Entry<'a>, usize)> {
        (self.tag >= FULL).then(|| table.entry(self.line.place(self.slot)))
    }
}

fn find_slot<'a>(table: &'a Table, key: Key<'_>) -> Option<Place<'a>> {
    let lines = table.lines.all();
    for visited in 0..PROBES + lines.len() {
        let line = nth_line(lines, key.hash, visited);
        let tags = line.tags();
        let of_key = |&slot: &usize| {
            let (entry, _) = table.entry(line.place(slot));
            entry.domain == key.domain && entry.code == key.code
        };
        if let Some(slot) = tags.of(key.tag()).find(of_key) {
            return Some(Place { line, slot, tag: key.tag(), visited });
        }
        if !tags.of(EMPTY).none() {
            return None;
        }
    }
    None
}

fn free_slot(table: &Table, hash: u64) -> Option<Place<'_>> {
    let lines = table.lines.all();
    (0..PROBES + lines.len()).find_map(|visited| {
        let line = nth_line(lines, hash, visited);
        let tags = line.tags();
        tags.free().map(|slot| Place { line, slot, tag: tags.tag(slot), visited })
    })
}

#[cfg(test)]
mod tests {
    use waypost_link::{Flags, LinkId, Status, WorkspaceId};

    use super::*;

    fn entry<'a>(id: u64, code: &'a str, details: Option<&'a Arc<Details>>) -> Entry<'a> {
        Entry {
            id: LinkId(id),
            workspace: WorkspaceId(1),
            domain: DomainId(id % 2),
            version: 1,
            status: Status::Found,
            flags: Flags::ACTIVE,
            code,
            destination: "https://example.com/",
            details,
        }
    }

    /// Fills a table with entries whose hashes `hash` makes; every one must be found, and nothing
    /// else, also after every third is taken away and all are put again.
    fn check(count: u64, hash: impl Fn(u64) -> u64 + Copy) {
        let count = if cfg!(miri) { count / 100 } else { count };
        let codes: Vec<String> = (0..count).map(|n| format!("code{n}")).collect();
        let number = |code: &str| code[4..].parse::<u64>().unwrap();
        let key = |n: u64| Key {
            hash: hash(n),
            domain: DomainId(n % 2),
            code: codes[n as usize].as_str(),
        };
        let details = Arc::new(Details { alert_at: Some(7), ..Details::default() });
        let ground = Arc::default();
        let mut shelf = Shelf::new(&ground, 0, 0, 0);
        for round in 0..2 {
            for n in 0..count {
                let aside = n.is_multiple_of(5).then_some(&details);
                let entry = entry(n, &codes[n as usize], aside);
                if shelf.put(hash(n), &entry).is_err() {
                    shelf =
                        shelf.rebuilt(&ground, 1, Some(&entry), |entry| hash(number(entry.code)));
                }
            }
            for n in (0..count).filter(|n| n % 3 == round) {
                shelf.remove(key(n));
            }
            for n in 0..count {
                let found = shelf.table().find(key(n));
                assert_eq!(found.map(|e| e.id.0), (n % 3 != round).then_some(n), "{n}");
                assert_eq!(
                    found.is_some_and(|e| e.details.is_some()),
                    found.is_some() && n % 5 == 0
                );
                let other = Key { domain: DomainId(9), ..key(n) };
                assert!(shelf.table().find(other).is_none());
            }
            assert_eq!(shelf.live() as u64, (0..count).filter(|n| n % 3 != round).count() as u64);
        }
    }

    #[test]
    fn colliding_keys_are_all_found() {
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        check(2_000, spread);
        check(1_000, |n| spread(n) >> 24 << 24); // one tag
        check(800, |n| spread(n) & 0xff00_0000_00ff_ffff); // one line
        check(400, |n| n % 2); // two hashes
        check(300, |_| u64::MAX);
    }

    #[test]
    fn waste_is_given_back() {
        let code = "code";
        let mut shelf = Shelf::new(&Arc::default(), 1, 100, 0);
        while !shelf.is_wasteful() {
            shelf.put(1, &entry(2, code, None)).unwrap();
        }
        let bytes = shelf.bytes();
        let shelf = shelf.rebuilt(&Arc::default(), 1, None, |_| 1);
        assert_eq!((shelf.live(), shelf.waste()), (1, 0));
        assert!(shelf.bytes() < bytes && !shelf.is_wasteful());
    }
}
