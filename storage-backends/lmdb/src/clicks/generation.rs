//! The clicks that are in memory: taken, not yet flushed.
//!
//! Taking a click is appending a small record. By the quarter million they are sorted by (hour,
//! workspace, link), and that is all: counting waits for the flush, when a link's clicks of the
//! whole generation stand together, or for a reader, who counts the few that he asks for. So a
//! click is counted once, in dense arrays, however many buckets it will be in.

use std::{collections::BTreeMap, net::IpAddr, ops::Range, sync::OnceLock};

use hashbrown::HashSet;
use parking_lot::Mutex;
use waypost_agent::Cache;
use waypost_link::{ClickId, Timestamp};
use waypost_storage::{Address, Batch, BatchError, Epoch, Row};

use super::{
    chains::Chains,
    dictionary::{Class, Dictionary},
    limits,
    purged::Purged,
    sort,
};

/// Which hour bucket of which link: in the order of their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) hour: i64,
    pub(super) workspace: u64,
    pub(super) link: u64,
}

/// A click without its place. Texts are numbers of the generation's dictionary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) at: i64,
    pub(super) visitor: u32,
    /// Salt (17 bits), whether a unit was spent (bit 17), kind of address (bits 18 and 19).
    pub(super) word: u32,
    /// An IPv4 address, or the place of a longer one in the generation's `wide`.
    pub(super) address: u32,
    pub(super) agent: u32,
    pub(super) referrer: u32,
    pub(super) language: u32,
    pub(super) rule: u32,
    /// Zeros where unknown.
    pub(super) country: [u8; 2],
    pub(super) class: Class,
}

/// Kinds of address.
pub(super) const NOTHING: u32 = 0;
pub(super) const IPV4: u32 = 1;
pub(super) const HASH: u32 = 2;
pub(super) const IPV6: u32 = 3;

const SALT: u32 = ClickId::SALTS - 1;
const SPENT: u32 = 1 << 17;
const KIND: u32 = 18;

impl Record {
    pub(super) fn salt(&self) -> u32 {
        self.word & SALT
    }

    pub(super) fn spent(&self) -> bool {
        self.word & SPENT != 0
    }

    pub(super) fn kind(&self) -> u32 {
        self.word >> KIND
    }
}

/// A record that was not sorted yet.
#[derive(Clone, Copy)]
pub(super) struct Pending {
    pub(super) link: u64,
    pub(super) workspace: u64,
    pub(super) record: Record,
}

impl Pending {
    pub(super) fn place(&self) -> Place {
        let hour = Timestamp(self.record.at).hour();
        Place { hour, workspace: self.workspace, link: self.link }
    }
}

/// Which clicks a reader asks for.
pub(super) struct Asked<'a> {
    /// Of these links; of all where `None`.
    pub(super) links: Option<&'a HashSet<u64>>,
    /// Of this workspace; of all where `None`.
    pub(super) workspace: Option<u64>,
    /// Of these hours.
    pub(super) hours: Range<i64>,
}

impl Asked<'_> {
    fn wants(&self, place: &Place) -> bool {
        self.hours.contains(&place.hour)
            && self.workspace.is_none_or(|workspace| workspace == place.workspace)
    }
}

/// Records sorted by place, those of one place in the order they came.
#[derive(Default)]
pub(super) struct Segment {
    pub(super) groups: Vec<Group>,
    pub(super) records: Vec<Record>,
    /// Made for the first reader who asks for no more.
    sums: OnceLock<Vec<Sum>>,
    /// Where the groups of each link are: made for the first reader who asks for links.
    by_link: OnceLock<Chains>,
}

/// What a workspace had in an hour.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    /// Its link is none.
    pub(super) place: Place,
    pub(super) clicks: u64,
    pub(super) bots: u64,
}

/// The records of one place: from `start` to the next group's.
pub(super) struct Group {
    pub(super) place: Place,
    pub(super) start: u32,
}

impl Segment {
    /// A segment of these groups and their records.
    pub(super) fn new(groups: Vec<Group>, records: Vec<Record>) -> Self {
        Self { groups, records, ..Self::default() }
    }

    /// The sums of each hour and workspace.
    fn sums(&self) -> &[Sum] {
        self.sums.get_or_init(|| {
            let mut sums: Vec<Sum> = Vec::new();
            for (at, group) in self.groups.iter().enumerate() {
                let more = Sum::of(group.place, self.of(at));
                match sums.last_mut().filter(|last| last.place == more.place) {
                    Some(last) => last.add(&more),
                    None => sums.push(more),
                }
            }
            sums
        })
    }

    /// Which of its groups are of this link.
    fn groups_of(&self, link: u64) -> Vec<usize> {
        let by_link = self.by_link.get_or_init(|| {
            let mut chains = Chains::default();
            chains.extend(self.groups.iter().map(|group| group.place.link));
            chains
        });
        by_link.of(link, |at| self.groups[at].place.link == link)
    }

    /// Which of its groups are of these hours.
    fn within(&self, hours: &Range<i64>) -> Range<usize> {
        let before = |hour| self.groups.partition_point(|group| group.place.hour < hour);
        before(hours.start)..before(hours.end)
    }

    /// The records of a group.
    pub(super) fn of(&self, group: usize) -> &[Record] {
        let end = self.groups.get(group + 1).map_or(self.records.len(), |next| next.start as usize);
        &self.records[self.groups[group].start as usize..end]
    }
}

impl Sum {
    fn of(place: Place, records: &[Record]) -> Self {
        let bots = records.iter().filter(|record| record.class.is_bot()).count() as u64;
        Self { place: Place { link: 0, ..place }, clicks: records.len() as u64, bots }
    }

    fn add(&mut self, more: &Self) {
        self.clicks += more.clicks;
        self.bots += more.bots;
    }
}

/// What is flushed at once.
#[derive(Default)]
pub(super) struct Generation {
    /// The number of its flush, from 1; 0 while it is open.
    pub(super) number: u32,
    pub(super) dictionary: Dictionary,
    /// Addresses of more than four bytes.
    pub(super) wide: Vec<[u8; 16]>,
    pub(super) pending: Vec<Pending>,
    pub(super) segments: Vec<Segment>,
    /// The last batch of each epoch that is in it.
    pub(super) marks: BTreeMap<Epoch, u64>,
    sorted: usize,
    scratch: sort::Scratch,
    /// Where the pending clicks of each link are, up to the last reader.
    by_link: Mutex<Chains>,
}

impl Generation {
    /// Takes a batch, but for clicks of deleted links: how many those were.
    pub(super) fn take(
        &mut self,
        batch: &Batch,
        purged: &Purged,
        cache: &mut Cache,
    ) -> Result<u64, BatchError> {
        let (pending, wide) = (self.pending.len(), self.wide.len());
        let taken = self.try_take(batch, purged, cache);
        if taken.is_err() {
            self.pending.truncate(pending);
            self.wide.truncate(wide);
        } else if self.pending.len() >= limits::SEGMENT {
            self.sort();
        }
        taken
    }

    /// Takes over the memory that a sorted generation needs no more.
    pub(super) fn reuse(&mut self, frozen: &mut Self) {
        std::mem::swap(&mut self.pending, &mut frozen.pending);
        std::mem::swap(&mut self.scratch, &mut frozen.scratch);
        std::mem::swap(self.by_link.get_mut(), frozen.by_link.get_mut());
    }

    /// Takes over the memory of a generation that is written.
    pub(super) fn recycle(&mut self, written: Self) {
        self.scratch.recycle(written.segments);
    }

    /// How many clicks it holds.
    pub(super) fn len(&self) -> usize {
        self.sorted + self.pending.len()
    }

    /// Whether there is nothing to flush.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.marks.is_empty()
    }

    /// Makes a segment of what is pending.
    pub(super) fn sort(&mut self) {
        if !self.pending.is_empty() {
            self.sorted += self.pending.len();
            self.segments.push(self.scratch.sorted(&self.pending));
            self.pending.clear();
            self.by_link.get_mut().clear();
        }
    }

    /// Shows `see` all records that are asked for: each place's of a segment together, a link's in the order they came.
    pub(super) fn visit<'g>(&'g self, asked: &Asked<'_>, mut see: impl FnMut(Place, &'g [Record])) {
        let mut see = |place: Place, records| {
            if asked.wants(&place) {
                see(place, records);
            }
        };
        let Some(links) = asked.links else { return self.visit_all(asked, see) };
        let pending = &mut *self.by_link.lock();
        pending.extend(self.pending[pending.len()..].iter().map(|pending| pending.link));
        for &link in links {
            for segment in &self.segments {
                for at in segment.groups_of(link) {
                    see(segment.groups[at].place, segment.of(at));
                }
            }
            for at in pending.of(link, |at| self.pending[at].link == link) {
                let pending = &self.pending[at];
                see(pending.place(), std::slice::from_ref(&pending.record));
            }
        }
    }

    fn visit_all<'g>(&'g self, asked: &Asked<'_>, mut see: impl FnMut(Place, &'g [Record])) {
        for segment in &self.segments {
            for at in segment.within(&asked.hours) {
                see(segment.groups[at].place, segment.of(at));
            }
        }
        for pending in &self.pending {
            see(pending.place(), std::slice::from_ref(&pending.record));
        }
    }

    /// Shows `see` the sums of all records that are asked for, in parts.
    pub(super) fn sums(&self, asked: &Asked<'_>, mut see: impl FnMut(Sum)) {
        if asked.links.is_some() {
            return self.visit(asked, |place, records| see(Sum::of(place, records)));
        }
        let sums = self.segments.iter().flat_map(Segment::sums).copied();
        let pending = self.pending.iter();
        let pending = pending.map(|one| Sum::of(one.place(), std::slice::from_ref(&one.record)));
        sums.chain(pending).filter(|sum| asked.wants(&sum.place)).for_each(see);
    }

    /// The address of a record as its kind has it: 0, 4, 8 or 16 bytes.
    pub(super) fn address(&self, record: &Record) -> ([u8; 16], usize) {
        let wide = || self.wide.get(record.address as usize).copied().unwrap_or_default();
        match record.kind() {
            IPV4 => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&record.address.to_be_bytes());
                (bytes, 4)
            }
            HASH => (wide(), 8),
            IPV6 => (wide(), 16),
            _ => ([0; 16], 0),
        }
    }

    fn try_take(
        &mut self,
        batch: &Batch,
        purged: &Purged,
        cache: &mut Cache,
    ) -> Result<u64, BatchError> {
        let mut known = vec![[u32::MAX; 4]; batch.texts().len()];
        let mut discarded = 0;
        self.pending.reserve(batch.len());
        for row in batch.rows() {
            let row = row?;
            if purged.contains(row.id.link.0) {
                discarded += 1;
                continue;
            }
            let record = self.record(&row, &mut known, cache);
            self.pending.push(Pending { link: row.id.link.0, workspace: row.workspace.0, record });
        }
        Ok(discarded)
    }

    fn record(&mut self, row: &Row<'_>, known: &mut [[u32; 4]], cache: &mut Cache) -> Record {
        let words = &mut self.dictionary;
        let agent = number(known, row.user_agent, 0, |text| words.agent(text, cache));
        let referrer = number(known, row.referrer, 1, |text| words.referrers.intern(text).0);
        let language = number(known, row.language, 2, |text| words.languages.intern(text).0);
        let rule = number(known, row.rule, 3, |text| words.rules.intern(text).0);
        let class = words.classes.get(agent as usize).copied().unwrap_or_default();
        let (kind, address) = self.pack(row.address);
        let spent = if row.spent { SPENT } else { 0 };
        Record {
            at: row.id.received.0,
            visitor: (row.visitor >> 32) as u32,
            word: (row.id.salt & SALT) | spent | (kind << KIND),
            address,
            agent,
            referrer,
            language,
            rule,
            country: row.country.unwrap_or_default(),
            class,
        }
    }

    fn pack(&mut self, address: Address) -> (u32, u32) {
        let (kind, bytes) = match address {
            Address::Nothing => return (NOTHING, 0),
            Address::Ip(IpAddr::V4(ip)) => return (IPV4, u32::from_be_bytes(ip.octets())),
            Address::Hash(hash) => {
                let mut bytes = [0; 16];
                bytes[..8].copy_from_slice(&hash.to_le_bytes());
                (HASH, bytes)
            }
            Address::Ip(IpAddr::V6(ip)) => (IPV6, ip.octets()),
        };
        self.wide.push(bytes);
        (kind, self.wide.len() as u32 - 1)
    }
}

/// The generation's number of a batch's text, looked up the first time.
fn number(
    known: &mut [[u32; 4]],
    text: waypost_storage::Text<'_>,
    what: usize,
    intern: impl FnOnce(&str) -> u32,
) -> u32 {
    match known.get_mut(text.index as usize) {
        Some(known) if known[what] == u32::MAX => {
            known[what] = intern(text.text);
            known[what]
        }
        Some(known) => known[what],
        None => intern(text.text),
    }
}
