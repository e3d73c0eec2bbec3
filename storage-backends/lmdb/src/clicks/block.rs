//! Raw clicks as they are stored: hundreds a value, by run, workspace and link, each link's in
//! the order of time.
//!
//! ```text
//! block := version:1 group* crc:4
//! group := link clicks bytes click*
//! click := signed µs after the click before (the first: after the hour's start)
//!          salt << 3 | spent << 2 | kind of address   country:2
//!          agent referrer language rule (numbers in the run's dictionary)   address:0|4|8|16
//! ```
//!
//! A link with many clicks in a run has blocks to itself, one after the other in time; the others
//! share blocks whole. So the blocks of a link are those whose first link it is, or else the one
//! before where they would stand.

use waypost_link::Timestamp;

use super::{
    bytes::{Reader, put, put_signed, seal, senseless, unseal},
    generation::{Generation, HASH, IPV4, IPV6, NOTHING, Record},
    limits,
};
use crate::fault::Tried;

const VERSION: u8 = 1;
const TABLE: &str = "blocks";

/// A click of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Raw<'v> {
    pub(super) link: u64,
    pub(super) at: i64,
    pub(super) salt: u32,
    pub(super) spent: bool,
    pub(super) country: [u8; 2],
    pub(super) agent: u32,
    pub(super) referrer: u32,
    pub(super) language: u32,
    pub(super) rule: u32,
    /// 0, 4, 8 or 16 bytes.
    pub(super) address: &'v [u8],
}

impl<'v> Raw<'v> {
    /// The same of a record in memory, whose address is at hand.
    pub(super) fn of(link: u64, record: &Record, address: &'v [u8]) -> Self {
        Self {
            link,
            at: record.at,
            salt: record.salt(),
            spent: record.spent(),
            country: record.country,
            agent: record.agent,
            referrer: record.referrer,
            language: record.language,
            rule: record.rule,
            address,
        }
    }
}

/// A block on its way.
#[derive(Default)]
pub(super) struct Builder {
    bytes: Vec<u8>,
    group: Vec<u8>,
    /// Link and time of its first click.
    first: (u64, i64),
}

impl Builder {
    /// Adds a link's clicks of an hour, sorted by time; `put` is handed each block that is full:
    /// link and time of its first click, and its value.
    pub(super) fn add(
        &mut self,
        link: u64,
        records: &[Record],
        generation: &Generation,
        mut put: impl FnMut((u64, i64), &[u8]) -> Tried<()>,
    ) -> Tried<()> {
        let own = records.len() > limits::BLOCK_CLICKS / 2;
        for records in records.chunks(limits::BLOCK_CLICKS) {
            self.group.clear();
            write_group(&mut self.group, link, records, generation);
            if own || self.bytes.len() + self.group.len() > limits::BLOCK {
                self.close(&mut put)?;
            }
            if self.bytes.is_empty() {
                self.bytes.push(VERSION);
                self.first = (link, records.first().map_or(0, |record| record.at));
            }
            self.bytes.extend_from_slice(&self.group);
        }
        if own { self.close(&mut put) } else { Ok(()) }
    }

    /// Hands over what is left.
    pub(super) fn close(
        &mut self,
        put: &mut impl FnMut((u64, i64), &[u8]) -> Tried<()>,
    ) -> Tried<()> {
        if !self.bytes.is_empty() {
            seal(&mut self.bytes);
            put(self.first, &self.bytes)?;
            self.bytes.clear();
        }
        Ok(())
    }
}

fn write_group(out: &mut Vec<u8>, link: u64, records: &[Record], generation: &Generation) {
    let length_at = open_group(out, link, records.len());
    let mut before = records.first().map_or(0, |first| hour_start(first.at));
    for record in records {
        let (address, length) = generation.address(record);
        write_click(out, before, &Raw::of(link, record, &address[..length]));
        before = record.at;
    }
    close_group(out, length_at);
}

/// The bytes of a group of this link with these clicks only, of `hour`.
pub(super) fn regroup(link: u64, hour: i64, clicks: &[Raw<'_>]) -> Vec<u8> {
    let mut out = Vec::new();
    let length_at = open_group(&mut out, link, clicks.len());
    let mut before = hour.wrapping_mul(Timestamp::HOUR);
    for click in clicks {
        write_click(&mut out, before, click);
        before = click.at;
    }
    close_group(&mut out, length_at);
    out
}

/// Begins a group; the place of its length.
fn open_group(out: &mut Vec<u8>, link: u64, clicks: usize) -> usize {
    put(out, link);
    put(out, clicks as u64);
    out.extend_from_slice(&[0; 4]);
    out.len() - 4
}

fn close_group(out: &mut [u8], length_at: usize) {
    let length = (out.len() - length_at - 4) as u32;
    out[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
}

fn write_click(out: &mut Vec<u8>, before: i64, click: &Raw<'_>) {
    put_signed(out, click.at.wrapping_sub(before));
    let kind = match click.address.len() {
        4 => IPV4,
        8 => HASH,
        16 => IPV6,
        _ => NOTHING,
    };
    put(out, u64::from((click.salt << 3) | (u32::from(click.spent) << 2) | kind));
    out.extend_from_slice(&click.country);
    for number in [click.agent, click.referrer, click.language, click.rule] {
        put(out, u64::from(number));
    }
    out.extend_from_slice(click.address);
}

fn hour_start(at: i64) -> i64 {
    Timestamp(at).hour().wrapping_mul(Timestamp::HOUR)
}

/// The clicks of one link in a block.
#[derive(Clone, Copy)]
pub(super) struct Group<'v> {
    pub(super) link: u64,
    pub(super) clicks: u32,
    /// As it is stored.
    pub(super) bytes: &'v [u8],
    content: Reader<'v>,
}

/// The groups of a block.
pub(super) fn groups(value: &[u8]) -> Tried<Vec<Group<'_>>> {
    let mut reader = unseal(TABLE, value)?;
    read_groups(&mut reader).ok_or_else(|| senseless(TABLE))
}

/// The block of these groups; `None` where there are none.
pub(super) fn rebuild<'b>(groups: impl Iterator<Item = &'b [u8]>) -> Option<Vec<u8>> {
    let mut bytes = vec![VERSION];
    groups.for_each(|group| bytes.extend_from_slice(group));
    (bytes.len() > 1).then(|| {
        seal(&mut bytes);
        bytes
    })
}

fn read_groups<'v>(reader: &mut Reader<'v>) -> Option<Vec<Group<'v>>> {
    (reader.byte()? == VERSION).then_some(())?;
    let mut groups = Vec::new();
    while !reader.is_empty() {
        let before = reader.0;
        let (link, clicks) = (reader.number()?, reader.small()?);
        let length = reader.u32()? as usize;
        let content = Reader(reader.take(length)?);
        let bytes = &before[..before.len() - reader.0.len()];
        groups.push(Group { link, clicks, bytes, content });
    }
    Some(groups)
}

impl<'v> Group<'v> {
    /// Its clicks, of the run's `hour`.
    pub(super) fn clicks(&self, hour: i64) -> Tried<Vec<Raw<'v>>> {
        let mut reader = self.content;
        let mut at = hour.wrapping_mul(Timestamp::HOUR);
        let mut clicks = Vec::with_capacity((self.clicks as usize).min(reader.0.len()));
        for _ in 0..self.clicks {
            let click = read_click(&mut reader, self.link, at).ok_or_else(|| senseless(TABLE))?;
            at = click.at;
            clicks.push(click);
        }
        if reader.is_empty() { Ok(clicks) } else { Err(senseless(TABLE)) }
    }
}

fn read_click<'v>(reader: &mut Reader<'v>, link: u64, before: i64) -> Option<Raw<'v>> {
    let at = before.wrapping_add(reader.signed()?);
    let word = reader.small()?;
    let country = reader.array()?;
    let [agent, referrer, language, rule] =
        [reader.small()?, reader.small()?, reader.small()?, reader.small()?];
    let address = reader.take(match word & 3 {
        IPV4 => 4,
        HASH => 8,
        IPV6 => 16,
        _ => 0,
    })?;
    let (salt, spent) = (word >> 3, word & 4 != 0);
    Some(Raw { link, at, salt, spent, country, agent, referrer, language, rule, address })
}
