//! Single values of the clicks' tables, each with its bytes: meta numbers, totals, runs, texts.

use heed::{RoTxn, RwTxn};
use waypost_storage::Grain;

use super::{
    bytes::{put, put_text, seal, senseless, unseal},
    dictionary::{Dictionary, Texts},
    generation::Place,
    limits,
    tables::{self, ClickTable, Key},
};
use crate::{fault::Tried, tables::Tables};

/// The open tables of clicks.
pub(super) type Click = Tables<ClickTable>;

/// Names of `meta`.
pub(super) const FLUSH: &[u8] = b"flush";
pub(super) const ROLLED: &[u8] = b"rolled";
pub(super) const TRIMMED: &[u8] = b"trimmed";

/// A number of `meta` or `marks`; `None` where it was never written.
pub(super) fn number(
    tables: &Click,
    txn: &RoTxn<'_>,
    table: ClickTable,
    name: &[u8],
) -> Tried<Option<u64>> {
    let Some(value) = tables.at(table).get(txn, name)? else { return Ok(None) };
    let bytes = unseal("meta", value)?.array();
    bytes.map(|bytes| Some(u64::from_le_bytes(bytes))).ok_or_else(|| senseless("meta"))
}

/// Writes what [`number`] reads.
pub(super) fn put_number(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    table: ClickTable,
    name: &[u8],
    value: u64,
) -> Tried<()> {
    let mut bytes = value.to_le_bytes().to_vec();
    seal(&mut bytes);
    tables.at(table).put(txn, name, &bytes, false)
}

/// Hour buckets before this place are in the buckets of days and all time, the others aren't yet.
pub(super) fn rolled(tables: &Click, txn: &RoTxn<'_>) -> Tried<Place> {
    let start = Place { hour: i64::MIN, workspace: 0, link: 0 };
    let Some(value) = tables.at(ClickTable::Meta).get(txn, ROLLED)? else { return Ok(start) };
    let mut reader = unseal("meta", value)?;
    let mut read = || {
        let (hour, workspace, link) = (reader.i64()?, reader.number()?, reader.number()?);
        Some(Place { hour, workspace, link })
    };
    read().ok_or_else(|| senseless("meta"))
}

/// Writes what [`rolled`] reads.
pub(super) fn put_rolled(tables: &Click, txn: &mut RwTxn<'_>, place: Place) -> Tried<()> {
    let mut bytes = place.hour.to_le_bytes().to_vec();
    put(&mut bytes, place.workspace);
    put(&mut bytes, place.link);
    seal(&mut bytes);
    tables.at(ClickTable::Meta).put(txn, ROLLED, &bytes, false)
}

/// A row of totals, of a link or a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) workspace: u64,
    pub(super) clicks: u64,
    pub(super) bots: u64,
    pub(super) spent: u64,
    pub(super) conversions: u64,
    /// The earliest and the latest time clicked: `MAX` and `MIN` where there is none.
    pub(super) first: i64,
    pub(super) last: i64,
    /// The first and the last hour that has a bucket.
    pub(super) low: i64,
    pub(super) high: i64,
}

impl Row {
    pub(super) const fn new(workspace: u64) -> Self {
        Self {
            workspace,
            clicks: 0,
            bots: 0,
            spent: 0,
            conversions: 0,
            first: i64::MAX,
            last: i64::MIN,
            low: i64::MAX,
            high: i64::MIN,
        }
    }

    /// Counts what `other` holds too.
    pub(super) fn add(&mut self, other: &Self) {
        self.clicks += other.clicks;
        self.bots += other.bots;
        self.spent += other.spent;
        self.conversions += other.conversions;
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.low = self.low.min(other.low);
        self.high = self.high.max(other.high);
    }

    fn decode(value: &[u8]) -> Tried<Self> {
        let mut reader = unseal("totals", value)?;
        let mut fields = [0; 9];
        for field in &mut fields {
            *field = reader.i64().ok_or_else(|| senseless("totals"))?;
        }
        let [workspace, clicks, bots, spent, conversions, first, last, low, high] = fields;
        let [workspace, clicks, bots, spent, conversions] =
            [workspace, clicks, bots, spent, conversions].map(|count| count as u64);
        Ok(Self { workspace, clicks, bots, spent, conversions, first, last, low, high })
    }

    fn encode(&self) -> [u8; 76] {
        let counts = [self.workspace, self.clicks, self.bots, self.spent, self.conversions];
        let times = [self.first, self.last, self.low, self.high].map(|time| time as u64);
        let mut bytes = [0; 76];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, field) in chunks.iter_mut().zip(counts.into_iter().chain(times)) {
            *chunk = field.to_le_bytes();
        }
        let sum = crc32c::crc32c(&bytes[..72]);
        bytes[72..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }
}

/// The totals of a link, or of [`workspace_row`](tables::workspace_row).
pub(super) fn totals(tables: &Click, txn: &RoTxn<'_>, link: u64) -> Tried<Option<Row>> {
    tables.at(ClickTable::Totals).get(txn, &link.to_be_bytes())?.map(Row::decode).transpose()
}

/// Writes what [`totals`] reads.
pub(super) fn put_totals(tables: &Click, txn: &mut RwTxn<'_>, link: u64, row: &Row) -> Tried<()> {
    tables.at(ClickTable::Totals).put(txn, &link.to_be_bytes(), &row.encode(), false)
}

/// Adds `more` to the totals of a link or workspace.
pub(super) fn add_totals(tables: &Click, txn: &mut RwTxn<'_>, link: u64, more: &Row) -> Tried<()> {
    let mut row = totals(tables, txn, link)?.unwrap_or(Row::new(more.workspace));
    row.add(more);
    put_totals(tables, txn, link, &row)
}

/// What a flush wrote of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) hour: i64,
    pub(super) number: u32,
    /// Between these times, both included, lie its clicks.
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) clicks: u64,
}

impl Run {
    pub(super) fn decode(key: &[u8], value: &[u8]) -> Tried<Self> {
        let mut parts = tables::Parts::of(key);
        let mut reader = unseal("runs", value)?;
        let mut read = || {
            let (hour, number) = (parts.signed()?, parts.small()?);
            let (first, last) = (reader.i64()?, reader.i64()?);
            Some(Self { hour, number, first, last, clicks: reader.number()? })
        };
        read().ok_or_else(|| senseless("runs"))
    }

    pub(super) fn key(&self) -> Key {
        tables::run(self.hour, self.number)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.first.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.last.to_le_bytes());
        put(&mut bytes, self.clicks);
        seal(&mut bytes);
        bytes
    }
}

/// A run, while any of its clicks is kept.
pub(super) fn run(tables: &Click, txn: &RoTxn<'_>, hour: i64, run: u32) -> Tried<Option<Run>> {
    let key = tables::run(hour, run);
    let value = tables.at(ClickTable::Runs).get(txn, &key)?;
    value.map(|value| Run::decode(&key, value)).transpose()
}

/// Kinds of text, in their keys.
#[derive(Clone, Copy)]
pub(super) enum TextKind {
    Agent = 1,
    Referrer = 2,
    Language = 3,
    Rule = 4,
}

/// Writes the texts that the clicks of flush `run` name.
pub(super) fn put_texts(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    run: u32,
    words: &Dictionary,
) -> Tried<()> {
    for (kind, texts) in [
        (TextKind::Agent, &words.agents),
        (TextKind::Referrer, &words.referrers),
        (TextKind::Language, &words.languages),
        (TextKind::Rule, &words.rules),
    ] {
        let count = texts.len() as u32;
        for part in 0..count.div_ceil(limits::TEXTS) {
            let numbers = part * limits::TEXTS..count.min((part + 1) * limits::TEXTS);
            let value = part_of(kind, texts, words, numbers);
            let key = Key::new().small(run).byte(kind as u8).small(part);
            tables.at(ClickTable::Texts).put(txn, &key, &value, false)?;
        }
    }
    Ok(())
}

/// How many runs name the texts of this flush.
pub(super) fn runs_of(tables: &Click, txn: &RoTxn<'_>, run: u32) -> Tried<u64> {
    let key = Key::new().small(run).byte(0).small(0);
    Ok(number(tables, txn, ClickTable::Texts, &key)?.unwrap_or(0))
}

/// Writes what [`runs_of`] reads.
pub(super) fn put_runs_of(tables: &Click, txn: &mut RwTxn<'_>, run: u32, count: u64) -> Tried<()> {
    let key = Key::new().small(run).byte(0).small(0);
    put_number(tables, txn, ClickTable::Texts, &key, count)
}

/// Texts one after the other; a user agent's class is before it, as it was when it was counted.
fn part_of(
    kind: TextKind,
    texts: &Texts,
    words: &Dictionary,
    numbers: std::ops::Range<u32>,
) -> Vec<u8> {
    let mut value = Vec::new();
    for number in numbers {
        if let TextKind::Agent = kind {
            put(&mut value, u64::from(words.classes[number as usize].0));
        }
        put_text(&mut value, texts.get(number));
    }
    seal(&mut value);
    value
}

/// A text of flush `run`, and a user agent's class.
pub(super) fn text(
    tables: &Click,
    txn: &RoTxn<'_>,
    run: u32,
    kind: TextKind,
    number: u32,
) -> Tried<(String, u16)> {
    let key = Key::new().small(run).byte(kind as u8).small(number / limits::TEXTS);
    let value = tables.at(ClickTable::Texts).get(txn, &key)?.ok_or_else(|| senseless("texts"))?;
    let mut reader = unseal("texts", value)?;
    let mut read = || {
        let mut found = None;
        for _ in 0..=number % limits::TEXTS {
            let class = match kind {
                TextKind::Agent => u16::try_from(reader.number()?).ok()?,
                _ => 0,
            };
            found = Some((reader.text()?, class));
        }
        found
    };
    let (text, class) = read().ok_or_else(|| senseless("texts"))?;
    Ok((text.to_owned(), class))
}

/// The stored bytes of a bucket.
pub(super) fn bucket<'x>(
    tables: &Click,
    txn: &'x RoTxn<'_>,
    grain: Grain,
    start: i64,
    (workspace, link): (u64, u64),
) -> Tried<Option<&'x [u8]>> {
    tables.at(ClickTable::Buckets).get(txn, &tables::bucket(grain, start, workspace, link))
}
