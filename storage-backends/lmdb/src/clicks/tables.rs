//! The clicks' schema on one screen: every table, its key, its value, and why it is there.
//!
//! Integers in keys are big-endian, those with a sign with their top bit flipped, so that LMDB's
//! byte order is theirs; eight bytes where no size is given. `∅` is an empty value; every other
//! one ends in a CRC32C of what is before it.

use std::ops::Bound;

use waypost_link::{ClickId, LinkId, Timestamp};
use waypost_storage::{Epoch, Grain};

use super::{bytes::Reader, generation::Place};
use crate::tables::schema;

schema! {
    /// The tables of the environment `clicks`.
    ClickTable {
        Meta        "meta"        "name"                                     => "number"     "format; `flush`, the number of the last one; `rolled`, how far hours are in days; `trimmed`";
        Marks       "marks"       "epoch:16"                                 => "sequence"   "the last batch of each writer: no retry counts twice";
        Blocks      "blocks"      "hour run:4 workspace link time number:4"  => "block"      "redirect clicks, hundreds a value";
        Runs        "runs"        "hour run:4"                               => "Run"        "what a flush wrote of an hour: times and number of its clicks";
        Texts       "texts"       "run:4 kind:1 part:4"                      => "texts"      "what the clicks of a flush name: user agents, hosts, languages, rules";
        Buckets     "buckets"     "grain:1 start workspace link"             => "bucket"     "roll-ups, the workspace's own with link 0";
        Totals      "totals"      "link, or workspace with its top bit set"  => "Totals"     "what each had in all, at one look";
        Events      "events"      "link clicked received salt:4 same:4"      => "event"      "clicks that somebody reported";
        Workspaces  "workspaces"  "workspace clicked received link salt:4 same:4" => "∅"     "events of a workspace by time";
        Receipts    "receipts"    "received link salt:4 same:4"              => "clicked"    "events by when they were received: by id, and for retention";
        Dedupe      "dedupe"      "hash:32"                                  => "click"      "which event came first";
        Hashes      "hashes"      "link hash:32"                             => "∅"          "dedupe keys of a link, for its purge";
        Conversions "conversions" "link received salt:4"                     => "Conversion" "conversions by click: each converts once";
        Purged      "purged"      "link"                                     => "∅"          "deleted links, whose clicks are discarded";
    }
}

/// A signed number that sorts as it counts.
pub(super) const fn sortable(value: i64) -> u64 {
    value as u64 ^ (1 << 63)
}

/// Bytes of a key, one integer after the other.
#[derive(Clone, Copy)]
pub(super) struct Key {
    bytes: [u8; 48],
    length: usize,
}

impl Key {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; 48], length: 0 }
    }

    pub(super) fn byte(self, value: u8) -> Self {
        self.with(&[value])
    }

    pub(super) fn small(self, value: u32) -> Self {
        self.with(&value.to_be_bytes())
    }

    pub(super) fn id(self, value: u64) -> Self {
        self.with(&value.to_be_bytes())
    }

    pub(super) fn signed(self, value: i64) -> Self {
        self.id(sortable(value))
    }

    fn with(mut self, more: &[u8]) -> Self {
        self.bytes[self.length..self.length + more.len()].copy_from_slice(more);
        self.length += more.len();
        self
    }
}

impl std::ops::Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Integers of a key, in the order they were put.
pub(super) struct Parts<'k>(Reader<'k>);

impl<'k> Parts<'k> {
    pub(super) fn of(key: &'k [u8]) -> Self {
        Self(Reader(key))
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.0.byte()
    }

    pub(super) fn small(&mut self) -> Option<u32> {
        self.0.array().map(u32::from_be_bytes)
    }

    pub(super) fn id(&mut self) -> Option<u64> {
        self.0.array().map(u64::from_be_bytes)
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        self.id().map(|value| (value ^ (1 << 63)) as i64)
    }
}

/// A bucket: of a link, or of the workspace itself where `link` is 0.
pub(super) fn bucket(grain: Grain, start: i64, workspace: u64, link: u64) -> Key {
    Key::new().byte(grain as u8).signed(start).id(workspace).id(link)
}

/// The hour bucket of a place.
pub(super) fn hour_bucket(place: &Place) -> Key {
    bucket(Grain::Hour, place.hour, place.workspace, place.link)
}

/// Grain, start, workspace and link of a bucket's key.
pub(super) fn read_bucket(key: &[u8]) -> Option<(u8, Place)> {
    let mut parts = Parts::of(key);
    let grain = parts.byte()?;
    Some((grain, Place { hour: parts.signed()?, workspace: parts.id()?, link: parts.id()? }))
}

/// A run.
pub(super) fn run(hour: i64, run: u32) -> Key {
    Key::new().signed(hour).small(run)
}

/// The row of [`ClickTable::Totals`] of a workspace.
pub(super) const fn workspace_row(workspace: u64) -> u64 {
    workspace | (1 << 63)
}

/// An epoch.
pub(super) fn epoch(epoch: Epoch) -> [u8; 16] {
    epoch.0.to_be_bytes()
}

/// An event of a link.
pub(super) fn event(id: ClickId, clicked: Timestamp, same: u32) -> Key {
    Key::new().id(id.link.0).signed(clicked.0).signed(id.received.0).small(id.salt).small(same)
}

/// The same by workspace.
pub(super) fn event_of_workspace(
    workspace: u64,
    id: ClickId,
    clicked: Timestamp,
    same: u32,
) -> Key {
    let key = Key::new().id(workspace).signed(clicked.0).signed(id.received.0);
    key.id(id.link.0).small(id.salt).small(same)
}

/// The same by time of receipt.
pub(super) fn receipt(id: ClickId, same: u32) -> Key {
    Key::new().signed(id.received.0).id(id.link.0).small(id.salt).small(same)
}

/// What [`receipt`] put together.
pub(super) fn read_receipt(key: &[u8]) -> Option<(ClickId, u32)> {
    let mut parts = Parts::of(key);
    let (received, link) = (Timestamp(parts.signed()?), LinkId(parts.id()?));
    Some((ClickId { received, link, salt: parts.small()? }, parts.small()?))
}

/// A conversion.
pub(super) fn conversion(id: ClickId) -> Key {
    Key::new().id(id.link.0).signed(id.received.0).small(id.salt)
}

/// The keys between two, both included.
pub(super) fn span<'k>(first: &'k [u8], last: &'k [u8]) -> (Bound<&'k [u8]>, Bound<&'k [u8]>) {
    (Bound::Included(first), Bound::Included(last))
}
