//! The click's byte format: a batch of redirect clicks, whole in itself.
//!
//! The same bytes lie in the journal and go to a store. Texts that repeat (user agents, referrer
//! hosts, languages, rules) stand once in front, so that whoever reads a batch looks into each of
//! them once, and a click is about 40 bytes. Integers are little-endian or LEB128 (`varint`):
//!
//! ```text
//! batch := version:u8 texts:varint text* clicks:varint base:i64 click*
//! text  := length:varint utf-8
//! click := delta:u32 salt+flags:u32 visitor:u64 country:2 (zeros: unknown)
//!          link:varint workspace:varint agent:varint referrer:varint language:varint rule:varint
//!          address:0|4|8|16
//! ```
//!
//! A click's time is `base + delta − 2^30` µs (from 17 minutes before the first to 53 after); flags are bits 17 (spent) and 18–20 (kind of address).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ahash::RandomState;
use hashbrown::HashTable;
use waypost_link::{ClickId, LinkId, Timestamp, WorkspaceId};

use crate::limits;

const VERSION: u8 = 1;
const SALT: u32 = ClickId::SALTS - 1;
const SPENT: u32 = 1 << 17;
const ADDRESS: u32 = 18;

/// Why bytes are no batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a batch of clicks: {0}")]
pub struct BatchError(&'static str);

/// The visitor's address in the form that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// Not kept.
    Nothing,
    /// Whole or truncated.
    Ip(IpAddr),
    /// Hashed with a daily salt.
    Hash(u64),
}

impl Address {
    /// As people see it: an IP address, or 16 hex digits.
    pub fn text(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Ip(ip) => Some(ip.to_string()),
            Self::Hash(hash) => Some(format!("{hash:016x}")),
        }
    }
}

/// A text of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text<'b> {
    /// Its place among the batch's texts: the same text has the same.
    pub index: u32,
    /// The text itself.
    pub text: &'b str,
}

/// A click of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row<'b> {
    /// Its name; `received` is also when it was clicked.
    pub id: ClickId,
    /// The link's owner.
    pub workspace: WorkspaceId,
    /// Who counts as one visitor.
    pub visitor: u64,
    /// Where from.
    pub address: Address,
    /// ISO 3166-1 alpha-2 in capitals.
    pub country: Option<[u8; 2]>,
    /// `User-Agent`.
    pub user_agent: Text<'b>,
    /// The referrer's host.
    pub referrer: Text<'b>,
    /// The first language.
    pub language: Text<'b>,
    /// The rule that served it.
    pub rule: Text<'b>,
    /// Whether it counts towards the link's click limit.
    pub spent: bool,
}

/// A batch being written. Reused: [`BatchBuilder::finish`] leaves it empty, its memory kept.
#[derive(Debug, Default)]
pub struct BatchBuilder {
    base: i64,
    clicks: u32,
    rows: Vec<u8>,
    text: String,
    ends: Vec<u32>,
    index: HashTable<u32>,
    hasher: RandomState,
}

impl BatchBuilder {
    /// How many clicks are in it.
    pub fn len(&self) -> usize {
        self.clicks as usize
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.clicks == 0
    }

    /// About how many bytes it will have.
    pub fn bytes(&self) -> usize {
        self.rows.len() + self.text.len() + 4 * self.ends.len()
    }

    /// The place of `text` among this batch's texts, cut to `limit` bytes; what is not UTF-8 is
    /// replaced.
    pub fn text(&mut self, text: &[u8], limit: usize) -> u32 {
        let text = &text[..text.len().min(limit)];
        // Nearly all are UTF-8, and this check is much the faster one.
        match std::str::from_utf8(text) {
            Ok(text) => self.intern(text),
            Err(_) => self.intern(&String::from_utf8_lossy(text)),
        }
    }

    /// Adds a click; the texts of `row` count by their index, which [`BatchBuilder::text`] gave.
    ///
    /// False, and nothing is added, where the batch is full or the click's time lies too far from
    /// its first.
    #[inline]
    pub fn push(&mut self, row: &Row<'_>) -> bool {
        if self.is_empty() {
            self.base = row.id.received.0;
        }
        let delta = row.id.received.0.wrapping_sub(self.base).wrapping_add(i64::from(SLACK));
        let Ok(delta) = u32::try_from(delta) else { return false };
        if self.len() >= limits::BATCH_CLICKS || self.bytes() >= limits::BATCH_BYTES {
            return false;
        }
        self.clicks += 1;
        self.write(row, delta);
        true
    }

    /// The batch's bytes, appended to `out`; the builder is empty then.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put(out, self.ends.len() as u64);
        let mut start = 0;
        for &end in &self.ends {
            let text = &self.text[start..end as usize];
            put(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
            start = end as usize;
        }
        put(out, u64::from(self.clicks));
        out.extend_from_slice(&self.base.to_le_bytes());
        out.extend_from_slice(&self.rows);
        self.clear();
    }

    fn clear(&mut self) {
        self.clicks = 0;
        self.rows.clear();
        self.text.clear();
        self.ends.clear();
        self.index.clear();
    }

    fn intern(&mut self, text: &str) -> u32 {
        let Self { text: all, ends, index, hasher, .. } = self;
        let of = |at: u32| {
            let start = if at == 0 { 0 } else { ends[at as usize - 1] as usize };
            &all[start..ends[at as usize] as usize]
        };
        let hash = hasher.hash_one(text);
        if let Some(&at) = index.find(hash, |&at| of(at) == text) {
            return at;
        }
        let at = ends.len() as u32;
        index.insert_unique(hash, at, |&at| hasher.hash_one(of(at)));
        all.push_str(text);
        ends.push(all.len() as u32);
        at
    }

    #[inline]
    fn write(&mut self, row: &Row<'_>, delta: u32) {
        let (kind, address) = pack(row.address);
        let spent = if row.spent { SPENT } else { 0 };
        let mut click = Line { bytes: [0; CLICK], len: 0 };
        click.put(&delta.to_le_bytes());
        click.put(&((row.id.salt & SALT) | spent | (kind << ADDRESS)).to_le_bytes());
        click.put(&row.visitor.to_le_bytes());
        click.put(&row.country.unwrap_or_default());
        click.varint(row.id.link.0);
        click.varint(row.workspace.0);
        for text in [row.user_agent, row.referrer, row.language, row.rule] {
            click.varint(u64::from(text.index));
        }
        click.put(&address);
        // Copying all that a click could have takes a few moves, copying what it has takes a call.
        let end = self.rows.len() + click.len - 16 + SIZES[kind as usize];
        self.rows.extend_from_slice(&click.bytes);
        self.rows.truncate(end);
    }
}

/// Bytes of the longest number.
const LONGEST: usize = 10;
/// Bytes of the longest click.
const CLICK: usize = 4 + 4 + 8 + 2 + 2 * LONGEST + 4 * 5 + 16;

/// A click being written.
struct Line {
    bytes: [u8; CLICK],
    len: usize,
}

impl Line {
    #[inline]
    fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        if let Some(to) = self.bytes.get_mut(self.len..self.len + N) {
            to.copy_from_slice(bytes);
            self.len += N;
        }
    }

    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.put(&[value as u8 | 0x80]);
            value >>= 7;
        }
        self.put(&[value as u8]);
    }
}

/// A whole batch, its texts checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    /// All texts, one after the other: checked once, not once a click.
    text: String,
    /// Where in `text` each one is.
    texts: Vec<(u32, u32)>,
    clicks: u32,
    base: i64,
    rows: usize,
}

impl Batch {
    /// The batch of these bytes, as [`BatchBuilder::finish`] made them.
    ///
    /// # Errors
    /// [`BatchError`] where the front is not a batch's; clicks are checked as they are read.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, BatchError> {
        let mut rest = Reader(&bytes);
        if rest.byte()? != VERSION {
            return Err(BatchError("unknown version"));
        }
        let count = rest.varint()? as usize;
        let mut texts = Vec::with_capacity(count.min(bytes.len()));
        let mut all = String::new();
        for _ in 0..count {
            let length = rest.varint()? as usize;
            let text = std::str::from_utf8(rest.take(length)?);
            let start = all.len() as u32;
            all.push_str(text.map_err(|_| BatchError("a text is not UTF-8"))?);
            texts.push((start, all.len() as u32));
        }
        let clicks = u32::try_from(rest.varint()?).map_err(|_| BatchError("too many clicks"))?;
        let base = i64::from_le_bytes(rest.array()?);
        let rows = bytes.len() - rest.0.len();
        Ok(Self { text: all, texts, clicks, base, rows, bytes })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its bytes, to be used again.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// How many clicks it has.
    pub fn len(&self) -> usize {
        self.clicks as usize
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.clicks == 0
    }

    /// Its texts, by index.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.texts.iter().map(|&(start, end)| slice(&self.text, start, end))
    }

    /// Its clicks, in the order they came; an error ends them.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, BatchError>> {
        let mut rest = Reader(&self.bytes[self.rows..]);
        let mut left = self.clicks;
        // Cut out of the whole once, not once a click.
        let texts: Vec<_> = self.texts().collect();
        std::iter::from_fn(move || {
            if left == 0 {
                return (!rest.0.is_empty()).then(|| {
                    rest = Reader(&[]);
                    Err(BatchError("more bytes than clicks"))
                });
            }
            let row = self.row(&mut rest, &texts);
            left = if row.is_ok() { left - 1 } else { 0 };
            if row.is_err() {
                rest = Reader(&[]);
            }
            Some(row)
        })
    }

    #[inline]
    fn row<'b>(&self, rest: &mut Reader<'_>, texts: &[&'b str]) -> Result<Row<'b>, BatchError> {
        let delta = u32::from_le_bytes(rest.array()?);
        let word = u32::from_le_bytes(rest.array()?);
        let visitor = u64::from_le_bytes(rest.array()?);
        let country = rest.array::<2>()?;
        let (link, workspace) = (LinkId(rest.varint()?), WorkspaceId(rest.varint()?));
        let received = self.base.wrapping_add(i64::from(delta)).wrapping_sub(i64::from(SLACK));
        Ok(Row {
            id: ClickId { received: Timestamp(received), link, salt: word & SALT },
            workspace,
            visitor,
            country: (country != [0; 2]).then_some(country),
            user_agent: rest.text(texts)?,
            referrer: rest.text(texts)?,
            language: rest.text(texts)?,
            rule: rest.text(texts)?,
            address: unpack(word >> ADDRESS, rest)?,
            spent: word & SPENT != 0,
        })
    }
}

/// Clicks of one batch come from several threads, so a later one may be a little older.
const SLACK: u32 = 1 << 30;
/// Bytes of each kind of address.
const SIZES: [usize; 4] = [0, 4, 8, 16];

fn pack(address: Address) -> (u32, [u8; 16]) {
    let mut bytes = [0; 16];
    let kind = match address {
        Address::Nothing => 0,
        Address::Ip(IpAddr::V4(ip)) => {
            bytes[..4].copy_from_slice(&ip.octets());
            1
        }
        Address::Hash(hash) => {
            bytes[..8].copy_from_slice(&hash.to_le_bytes());
            2
        }
        Address::Ip(IpAddr::V6(ip)) => {
            bytes = ip.octets();
            3
        }
    };
    (kind, bytes)
}

fn unpack(kind: u32, rest: &mut Reader<'_>) -> Result<Address, BatchError> {
    Ok(match kind {
        0 => Address::Nothing,
        1 => Address::Ip(Ipv4Addr::from(rest.array::<4>()?).into()),
        2 => Address::Hash(u64::from_le_bytes(rest.array()?)),
        3 => Address::Ip(Ipv6Addr::from(rest.array::<16>()?).into()),
        _ => return Err(BatchError("unknown kind of address")),
    })
}

/// The text between two places that `decode` has put there.
fn slice(all: &str, start: u32, end: u32) -> &str {
    all.get(start as usize..end as usize).unwrap_or_default()
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, length: usize) -> Result<&'b [u8], BatchError> {
        let (head, tail) = self.0.split_at_checked(length).ok_or(BatchError("cut short"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], BatchError> {
        let (head, tail) = self.0.split_first_chunk().ok_or(BatchError("cut short"))?;
        self.0 = tail;
        Ok(*head)
    }

    fn byte(&mut self) -> Result<u8, BatchError> {
        self.array().map(|[byte]| byte)
    }

    #[inline]
    fn varint(&mut self) -> Result<u64, BatchError> {
        match *self.0 {
            [byte, ref rest @ ..] if byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, BatchError> {
        let mut value = 0;
        for (at, &byte) in self.0.iter().take(LONGEST).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * at);
            if byte < 0x80 {
                self.0 = self.0.get(at + 1..).unwrap_or_default();
                return Ok(value);
            }
        }
        let long = self.0.len() >= LONGEST;
        Err(BatchError(if long { "a number is too long" } else { "cut short" }))
    }

    #[inline]
    fn text<'t>(&mut self, texts: &[&'t str]) -> Result<Text<'t>, BatchError> {
        let index = self.varint()?;
        let text = usize::try_from(index).ok().and_then(|at| texts.get(at));
        let &text = text.ok_or(BatchError("no such text"))?;
        Ok(Text { index: index as u32, text })
    }
}

#[cfg(test)]
mod tests;
