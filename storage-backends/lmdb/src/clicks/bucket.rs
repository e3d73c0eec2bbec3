//! A roll-up bucket's bytes, and adding to them.
//!
//! ```text
//! bucket := version:1 clicks bots conversions runs:count run* dimension{9} crowd crowd crc:4
//! run    := the difference to the run before
//! dimension := values:2 (value cell)*                 in the order of Dimension::ALL
//! cell   := clicks << 1 | whether there are bots, bots if there are
//! value  := code:1 (device, browser, system) | letters:2 (country) | text | link
//! crowd  := hashes:2 hash:4*  (ascending) | 0xffff sketch
//! ```
//!
//! Numbers are LEB128 where no size is given. A bucket is complete in itself. The runs are those
//! that hold raw clicks of a link's hour; other buckets have none.

use waypost_agent::{Browser, Device, Os};
use waypost_storage::{Counts, Detail, Dimension, Share, Sketch, country_text, limits};

use super::{
    bytes::{Reader, put, put_text, seal, senseless, unseal},
    dictionary::Dictionary,
    fold::{Cells, Crowd, Fold, Values},
};
use crate::fault::Tried;

const VERSION: u8 = 1;
const TABLE: &str = "buckets";
/// Two letters that no country has: values past the limit.
const OTHER_COUNTRY: [u8; 2] = [0xff; 2];
/// What stands for the number of hashes where there is a sketch.
const SKETCH: u16 = u16::MAX;
/// Bytes of a sketch that is no list of hashes.
const REGISTERS: usize = 4_097;

/// A bucket, opened.
#[derive(Default)]
pub(super) struct Bucket {
    pub(super) counts: Counts,
    pub(super) runs: Vec<u32>,
}

impl Bucket {
    /// The bucket of these bytes.
    pub(super) fn decode(value: &[u8]) -> Tried<Self> {
        let mut reader = unseal(TABLE, value)?;
        read(&mut reader, Detail::Shares).ok_or_else(|| senseless(TABLE))
    }

    /// What of it is wanted.
    pub(super) fn decode_to(value: &[u8], detail: Detail) -> Tried<Self> {
        let mut reader = unseal(TABLE, value)?;
        read(&mut reader, detail).ok_or_else(|| senseless(TABLE))
    }

    /// Its bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        for number in [self.counts.clicks, self.counts.bots, self.counts.conversions] {
            put(&mut out, number);
        }
        put_runs(&mut out, &self.runs);
        for (dimension, shares) in Dimension::ALL.into_iter().zip(&self.counts.shares) {
            out.extend_from_slice(&(shares.len() as u16).to_le_bytes());
            for share in shares {
                put_value(&mut out, dimension, &share.value);
                put_cell(&mut out, [share.clicks, share.bots], [0; 2]);
            }
        }
        put_sketch(&mut out, &self.counts.visitors);
        put_sketch(&mut out, &self.counts.robots);
        seal(&mut out);
        out
    }

    /// Counts what `counts` holds too, within the limit of values.
    pub(super) fn add(&mut self, counts: &Counts) {
        self.counts.merge(counts);
        self.counts.limit();
    }
}

/// Clicks, bots, conversions and the runs of a bucket: all that many readers want.
pub(super) fn head(value: &[u8]) -> Tried<([u64; 3], Vec<u32>)> {
    let mut reader = unseal(TABLE, value)?;
    read_head(&mut reader).ok_or_else(|| senseless(TABLE))
}

/// Appends to `out` the bucket `old` raised by `fold`, whose clicks lie in `run`. Drains `fold`.
pub(super) fn raise(
    old: Option<&[u8]>,
    fold: &mut Fold,
    words: &Dictionary,
    run: Option<u32>,
    out: &mut Vec<u8>,
) -> Tried<()> {
    let mut reader = old.map_or(Ok(Reader(&EMPTY)), |old| unseal(TABLE, old))?;
    let start = out.len();
    raise_all(&mut reader, fold, words, run, out).ok_or_else(|| senseless(TABLE))?;
    let sum = crc32c::crc32c(&out[start..]);
    out.extend_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// The content of a bucket without anything.
const EMPTY: [u8; 5 + 2 * Dimension::ALL.len() + 4] = {
    let mut empty = [0; 5 + 2 * Dimension::ALL.len() + 4];
    empty[0] = VERSION;
    empty
};

fn raise_all(
    reader: &mut Reader<'_>,
    fold: &mut Fold,
    words: &Dictionary,
    run: Option<u32>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let ([clicks, bots, conversions], mut runs) = read_head(reader)?;
    out.push(VERSION);
    for number in [clicks + fold.clicks, bots + fold.bots, conversions] {
        put(out, number);
    }
    if let Some(run) = run
        && runs.last() != Some(&run)
    {
        runs.push(run);
        runs.sort_unstable();
        runs.dedup();
    }
    put_runs(out, &runs);
    for at in 0..Dimension::ALL.len() {
        let (cells, values) = fold.dimension(at, words);
        raise_dimension(reader, cells, values, out)?;
    }
    raise_crowd(reader, &mut fold.visitors, out)?;
    raise_crowd(reader, &mut fold.robots, out)?;
    reader.is_empty().then_some(())
}

fn raise_dimension(
    reader: &mut Reader<'_>,
    cells: &mut Cells,
    values: Values<'_>,
    out: &mut Vec<u8>,
) -> Option<()> {
    let count_at = out.len();
    out.extend_from_slice(&[0; 2]);
    let (mut named, mut other) = (0, [0; 2]);
    for _ in 0..reader.u16()? {
        let value = values.read(reader)?;
        let (clicks, bots) = read_cell(reader)?;
        if value.is_other {
            other = [clicks, bots];
        } else {
            let cell = value.number.map_or([0; 2], |number| cells.take(number));
            out.extend_from_slice(value.bytes);
            put_cell(out, [clicks, bots], cell);
            named += 1;
        }
    }
    let room = limits::VALUES.saturating_sub(named);
    let mut admit = |(number, cell): (u32, [u32; 2])| {
        if named < limits::VALUES && !values.is_other(number) {
            values.put(number, out);
            put_cell(out, [0; 2], cell);
            named += 1;
        } else {
            other = [other[0] + u64::from(cell[0]), other[1] + u64::from(cell[1])];
        }
    };
    if cells.touched() <= room {
        cells.drain().for_each(admit);
    } else {
        let mut all: Vec<_> = cells.drain().collect();
        all.sort_by_key(|(_, cell)| std::cmp::Reverse(cell[0]));
        all.into_iter().for_each(&mut admit);
    }
    if other[0] > 0 {
        values.put_other(out);
        put_cell(out, other, [0; 2]);
        named += 1;
    }
    out[count_at..count_at + 2].copy_from_slice(&(named as u16).to_le_bytes());
    Some(())
}

fn put_cell(out: &mut Vec<u8>, [clicks, bots]: [u64; 2], more: [u32; 2]) {
    let (clicks, bots) = (clicks + u64::from(more[0]), bots + u64::from(more[1]));
    put(out, (clicks << 1) | u64::from(bots > 0));
    if bots > 0 {
        put(out, bots);
    }
}

fn read_cell(reader: &mut Reader<'_>) -> Option<(u64, u64)> {
    let clicks = reader.number()?;
    let bots = if clicks & 1 == 1 { reader.number()? } else { 0 };
    Some((clicks >> 1, bots))
}

/// A value as it is stored.
struct Stored<'v> {
    bytes: &'v [u8],
    /// Its number in the fold, if it has one.
    number: Option<u32>,
    is_other: bool,
}

impl Values<'_> {
    fn read<'v>(self, reader: &mut Reader<'v>) -> Option<Stored<'v>> {
        let before = reader.0;
        let (number, is_other) = match self {
            Self::Codes => (Some(u32::from(reader.byte()?)), false),
            Self::Countries => {
                let letters = reader.array()?;
                (Some(u32::from(u16::from_be_bytes(letters))), letters == OTHER_COUNTRY)
            }
            Self::Texts(texts) => {
                let text = reader.text()?;
                (texts.find(text), text == Share::OTHER)
            }
            Self::Links(links) => {
                let link = reader.number()?;
                (links.binary_search(&link).ok().map(|at| at as u32), link == 0)
            }
        };
        let bytes = &before[..before.len() - reader.0.len()];
        Some(Stored { bytes, number, is_other })
    }

    fn is_other(self, number: u32) -> bool {
        match self {
            Self::Codes => false,
            Self::Countries => number as u16 == u16::from_be_bytes(OTHER_COUNTRY),
            Self::Texts(texts) => texts.get(number) == Share::OTHER,
            Self::Links(links) => links[number as usize] == 0,
        }
    }

    fn put(self, number: u32, out: &mut Vec<u8>) {
        match self {
            Self::Codes => out.push(number as u8),
            Self::Countries => out.extend_from_slice(&(number as u16).to_be_bytes()),
            Self::Texts(texts) => put_text(out, texts.get(number)),
            Self::Links(links) => put(out, links[number as usize]),
        }
    }

    fn put_other(self, out: &mut Vec<u8>) {
        match self {
            Self::Codes => out.push(Browser::default().code()),
            Self::Countries => out.extend_from_slice(&OTHER_COUNTRY),
            Self::Texts(_) => put_text(out, Share::OTHER),
            Self::Links(_) => put(out, 0),
        }
    }
}

fn raise_crowd(reader: &mut Reader<'_>, crowd: &mut Crowd, out: &mut Vec<u8>) -> Option<()> {
    let before = *reader;
    let count = reader.u16()?;
    if count == SKETCH || crowd.sketch.is_some() {
        *reader = before;
        let mut sketch = read_sketch(reader)?;
        if let Some(more) = &crowd.sketch {
            sketch.merge(more);
        }
        sketch.extend(&crowd.hashes);
        put_sketch(out, &sketch);
        return Some(());
    }
    let stored = reader.take(usize::from(count) * 4)?;
    if crowd.hashes.is_empty() {
        out.extend_from_slice(&count.to_le_bytes());
        out.extend_from_slice(stored);
        return Some(());
    }
    crowd.hashes.sort_unstable();
    crowd.hashes.dedup();
    let start = out.len();
    out.extend_from_slice(&[0; 2]);
    let merged = merge_hashes(stored, &crowd.hashes, out);
    if merged > Sketch::EXACT {
        out.truncate(start);
        let mut sketch = Sketch::default();
        sketch.extend(&hashes(stored).collect::<Vec<_>>());
        sketch.extend(&crowd.hashes);
        put_sketch(out, &sketch);
    } else {
        out[start..start + 2].copy_from_slice(&(merged as u16).to_le_bytes());
    }
    Some(())
}

/// Appends the union of two ascending lists; how many there are.
fn merge_hashes(stored: &[u8], new: &[u32], out: &mut Vec<u8>) -> usize {
    let start = out.len();
    let mut new = new.iter().copied().peekable();
    for hash in hashes(stored) {
        while let Some(less) = new.next_if(|&new| new < hash) {
            out.extend_from_slice(&less.to_le_bytes());
        }
        new.next_if_eq(&hash);
        out.extend_from_slice(&hash.to_le_bytes());
    }
    new.for_each(|hash| out.extend_from_slice(&hash.to_le_bytes()));
    (out.len() - start) / 4
}

fn hashes(stored: &[u8]) -> impl Iterator<Item = u32> {
    stored.as_chunks().0.iter().map(|&hash| u32::from_le_bytes(hash))
}

fn read(reader: &mut Reader<'_>, detail: Detail) -> Option<Bucket> {
    let ([clicks, bots, conversions], runs) = read_head(reader)?;
    let mut counts = Counts { clicks, bots, conversions, ..Counts::default() };
    if detail == Detail::Sums {
        return Some(Bucket { counts, runs });
    }
    for (dimension, shares) in Dimension::ALL.into_iter().zip(&mut counts.shares) {
        for _ in 0..reader.u16()? {
            if detail < Detail::Shares {
                skip_value(reader, dimension)?;
                read_cell(reader)?;
                continue;
            }
            let value = read_value(reader, dimension)?;
            let (clicks, bots) = read_cell(reader)?;
            shares.push(Share { value, clicks, bots });
        }
        shares.sort_unstable_by(|a, b| a.value.cmp(&b.value));
    }
    counts.visitors = read_sketch(reader)?;
    counts.robots = read_sketch(reader)?;
    reader.is_empty().then_some(Bucket { counts, runs })
}

fn read_head(reader: &mut Reader<'_>) -> Option<([u64; 3], Vec<u32>)> {
    (reader.byte()? == VERSION).then_some(())?;
    let numbers = [reader.number()?, reader.number()?, reader.number()?];
    let count = usize::try_from(reader.number()?).ok()?;
    let mut runs = Vec::with_capacity(count.min(reader.0.len()) + 1);
    let mut run = 0u32;
    for _ in 0..count {
        run = run.checked_add(reader.small()?)?;
        runs.push(run);
    }
    Some((numbers, runs))
}

fn put_runs(out: &mut Vec<u8>, runs: &[u32]) {
    put(out, runs.len() as u64);
    let mut before = 0;
    for &run in runs {
        put(out, u64::from(run - before));
        before = run;
    }
}

/// Passes over a value.
fn skip_value(reader: &mut Reader<'_>, dimension: Dimension) -> Option<()> {
    let bytes = match dimension {
        Dimension::Device | Dimension::Browser | Dimension::Os => 1,
        Dimension::Country => 2,
        Dimension::Link => return reader.number().map(drop),
        _ => usize::try_from(reader.number()?).ok()?,
    };
    reader.take(bytes).map(drop)
}

/// A value in the words of statistics.
fn read_value(reader: &mut Reader<'_>, dimension: Dimension) -> Option<String> {
    let name = |name: Option<&str>| name.unwrap_or(Share::OTHER).to_owned();
    Some(match dimension {
        Dimension::Device | Dimension::Browser | Dimension::Os => {
            let code = reader.byte()?;
            name(match dimension {
                Dimension::Device => Device::from_code(code).map(Device::as_str),
                Dimension::Browser => Browser::from_code(code).map(Browser::as_str),
                _ => Os::from_code(code).map(Os::as_str),
            })
        }
        Dimension::Country => match reader.array()? {
            OTHER_COUNTRY => name(None),
            letters => country_text((letters != [0; 2]).then_some(letters)),
        },
        Dimension::Link => match reader.number()? {
            0 => name(None),
            link => link.to_string(),
        },
        _ => reader.text()?.to_owned(),
    })
}

/// The reverse; what has no spelling of its own is `Other`.
fn put_value(out: &mut Vec<u8>, dimension: Dimension, value: &str) {
    match dimension {
        Dimension::Device => out.push(Device::parse(value).unwrap_or_default().code()),
        Dimension::Browser => out.push(Browser::parse(value).unwrap_or_default().code()),
        Dimension::Os => out.push(Os::parse(value).unwrap_or_default().code()),
        Dimension::Country => out.extend_from_slice(&letters(value)),
        Dimension::Link => put(out, value.parse().unwrap_or(0)),
        _ => put_text(out, value),
    }
}

/// A country as it is stored.
fn letters(value: &str) -> [u8; 2] {
    let mut chars = value.chars().map(|letter| u8::try_from(letter).ok());
    match (chars.next(), chars.next(), chars.next()) {
        (None, ..) => [0; 2],
        (Some(Some(first)), Some(Some(second)), None) => [first, second],
        _ => OTHER_COUNTRY,
    }
}

fn read_sketch(reader: &mut Reader<'_>) -> Option<Sketch> {
    match reader.u16()? {
        SKETCH => Sketch::from_bytes(reader.take(REGISTERS)?),
        count => {
            let stored: Vec<_> = hashes(reader.take(usize::from(count) * 4)?).collect();
            let mut sketch = Sketch::default();
            sketch.extend(&stored);
            Some(sketch)
        }
    }
}

fn put_sketch(out: &mut Vec<u8>, sketch: &Sketch) {
    let bytes = sketch.to_bytes();
    match bytes.split_first() {
        Some((_, hashes)) if bytes.len() < REGISTERS => {
            out.extend_from_slice(&((hashes.len() / 4) as u16).to_le_bytes());
            out.extend_from_slice(hashes);
        }
        _ => {
            out.extend_from_slice(&SKETCH.to_le_bytes());
            out.extend_from_slice(&bytes);
        }
    }
}
