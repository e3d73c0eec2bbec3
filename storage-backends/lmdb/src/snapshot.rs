//! [`LmdbSnapshot`]: a node's own copy of another store's links, in an environment of its own.
//!
//! It keeps values as the store `links` does, and nothing that only a store needs: no claims, no
//! indexes, no feed. The stamp is written in the transaction of what it stamps, and taken away
//! before a copy is filled anew.

use std::{fs, path::Path};

use heed::RwTxn;
use waypost_link::{Change, Link, LinkId, Noun, Record, Revision};
use waypost_storage::{Error, Feed, Page, Result, Snapshot, SpentPage, Stamp, page_limit};

use crate::{
    codec,
    environment::Environment,
    fault::{Tried, corrupt},
    keys, limits, read,
    tables::{Tables, schema},
};

schema! {
    /// The tables of the environment `snapshot`.
    SnapshotTable {
        Meta    "meta"    "name"      => "bytes"  "format, and the stamp where the copy is whole";
        Links   "links"   "link"      => "Link"   "the links, as the store spells them";
        Records "records" "noun:1 id" => "Record" "the records that redirects need";
        Spent   "spent"   "link"      => "number" "clicks that limited links have spent";
    }
}

/// Where `meta` keeps the stamp.
const STAMP: &[u8] = b"stamp";

/// A node's own copy of another store's links.
pub struct LmdbSnapshot(Environment<SnapshotTable>);

impl LmdbSnapshot {
    /// Opens the copy in `dir`, which is made where it is missing. One that is corrupt, or doesn't
    /// say of what it is a copy, is thrown away: the next one is as good.
    ///
    /// # Errors
    /// `Unusable` (the directory, a newer format), `Full`, `Unavailable`.
    pub fn open(dir: &Path, map_size: u64) -> Result<Self> {
        match Self::open_stamped(dir, map_size) {
            Err(Error::Corrupt(_)) => {
                let cannot = |error| Error::Unusable(format!("{}: {error}", dir.display()));
                fs::remove_dir_all(dir).map_err(cannot)?;
                Self::open_stamped(dir, map_size)
            }
            opened => opened,
        }
    }

    fn open_stamped(dir: &Path, map_size: u64) -> Result<Self> {
        let snapshot = Self(Environment::open(dir, map_size)?);
        snapshot.stamp()?;
        Ok(snapshot)
    }

    /// Writes `rows` in one durable step; `None` takes a key away.
    fn write(&self, rows: Vec<Row>) -> Result<()> {
        self.0.write(move |tables, txn| rows.iter().try_for_each(|row| row.write(tables, txn)))
    }
}

/// A row to write.
struct Row {
    table: SnapshotTable,
    key: Vec<u8>,
    value: Option<Vec<u8>>,
}

impl Row {
    fn put(table: SnapshotTable, key: Vec<u8>, value: Vec<u8>) -> Self {
        Self { table, key, value: Some(value) }
    }

    fn gone(table: SnapshotTable, key: Vec<u8>) -> Self {
        Self { table, key, value: None }
    }

    fn link(link: &Link) -> Self {
        let value = codec::seal(codec::link_bytes(link, link.version));
        Self::put(SnapshotTable::Links, link_key(link.id), value)
    }

    fn record(record: &Record) -> Self {
        let key = keys::record(record.noun(), record.id());
        Self::put(SnapshotTable::Records, key, codec::seal(codec::record_bytes(record)))
    }

    fn spent(id: LinkId, spent: u64) -> Self {
        Self::put(SnapshotTable::Spent, link_key(id), codec::number(spent))
    }

    fn write(&self, tables: &Tables<SnapshotTable>, txn: &mut RwTxn<'_>) -> Tried<()> {
        match &self.value {
            Some(value) => tables.at(self.table).put(txn, &self.key, value, false),
            None => tables.at(self.table).delete(txn, &self.key).map(drop),
        }
    }
}

impl Snapshot for LmdbSnapshot {
    fn stamp(&self) -> Result<Option<Stamp>> {
        self.0.read(|tables, txn| {
            let value = tables.at(SnapshotTable::Meta).get(txn, STAMP)?;
            let stamp = |value| read_stamp(value).ok_or_else(|| corrupt("snapshot", "its stamp"));
            Ok(value.map(stamp).transpose()?)
        })
    }

    fn records(&self, noun: Noun, after: Option<u64>, limit: usize) -> Result<Page<Record, u64>> {
        self.0.read(|tables, txn| {
            let mut page = Page { items: Vec::new(), next: None };
            let start = keys::record(noun, after.map_or(0, |after| after.saturating_add(1)));
            for row in tables.at(SnapshotTable::Records).from(txn, &start)? {
                let (key, value) = row?;
                if key.first() != start.first() {
                    break;
                }
                if page.items.len() == page_limit(limit) {
                    page.next = page.items.last().map(Record::id);
                    break;
                }
                let id = keys::id_of(key).ok_or_else(|| corrupt("records", "a key"))?;
                page.items.push(read::record(noun, id, value)?);
            }
            Ok(page)
        })
    }

    fn links(&self, after: Option<LinkId>, limit: usize) -> Result<SpentPage> {
        self.0.read(|tables, txn| {
            // Links are large: a page that grows would be moved several times.
            let mut page = Page { items: Vec::with_capacity(page_limit(limit)), next: None };
            let mut spent = Vec::new();
            let (mut bytes, start) = (0, after.map_or(0, |after| after.0.saturating_add(1)));
            for row in tables.at(SnapshotTable::Links).from(txn, &link_key(LinkId(start)))? {
                let (key, value) = row?;
                if page.items.len() == page_limit(limit) || bytes > limits::PAGE_BYTES {
                    page.next = page.items.last().map(|link: &Link| link.id);
                    break;
                }
                let id = keys::id_of(key).ok_or_else(|| corrupt("links", "a key"))?;
                let link = read::link(LinkId(id), value)?;
                let noted = match link.max_clicks {
                    Some(_) => tables.at(SnapshotTable::Spent).get(txn, key)?,
                    None => None,
                };
                let number = noted.map(|value| codec::read_number(value).ok_or("a number"));
                spent.push(number.transpose().map_err(|what| corrupt("spent", what))?.unwrap_or(0));
                bytes += value.len();
                page.items.push(link);
            }
            Ok(SpentPage { page, spent })
        })
    }

    fn clear(&self) -> Result<()> {
        // The stamp goes first: whatever is left of the rest is then no copy.
        self.write(vec![Row::gone(SnapshotTable::Meta, STAMP.to_vec())])?;
        self.0.write(|tables, txn| {
            let all = [SnapshotTable::Links, SnapshotTable::Records, SnapshotTable::Spent];
            all.into_iter().try_for_each(|table| Ok(tables.at(table).scan().clear(txn)?))
        })
    }

    fn add_records(&self, records: &[Record]) -> Result<()> {
        self.write(records.iter().map(Row::record).collect())
    }

    fn add_links(&self, links: &[Link]) -> Result<()> {
        self.write(links.iter().map(Row::link).collect())
    }

    fn follow(&self, feeds: &[Feed], nouns: &[Noun]) -> Result<()> {
        let Some(last) = feeds.last().map(|feed| feed.revision) else { return Ok(()) };
        let changes = feeds.iter().flat_map(|feed| &feed.changes);
        let mut rows: Vec<Row> = changes.flat_map(|change| followed(change, nouns)).collect();
        if let Some(stamp) = self.stamp()? {
            rows.push(stamp_row(Stamp { revision: last, ..stamp }));
        }
        self.write(rows)
    }

    fn note_spent(&self, spent: &[(LinkId, u64)]) -> Result<()> {
        self.write(spent.iter().map(|(id, spent)| Row::spent(*id, *spent)).collect())
    }

    fn finish(&self, stamp: Stamp) -> Result<()> {
        self.write(vec![stamp_row(stamp)])
    }
}

/// What a change of the feed does to the copy.
fn followed(change: &Change, nouns: &[Noun]) -> Vec<Row> {
    match change {
        Change::CreateLink(link) | Change::UpdateLink { link, .. } => vec![Row::link(link)],
        Change::DeleteLink { id, .. } => {
            let gone = |table| Row::gone(table, link_key(*id));
            vec![gone(SnapshotTable::Links), gone(SnapshotTable::Spent)]
        }
        Change::PutRecord(record) if nouns.contains(&record.noun()) => vec![Row::record(record)],
        Change::DeleteRecord { noun, id } if nouns.contains(noun) => {
            vec![Row::gone(SnapshotTable::Records, keys::record(*noun, *id))]
        }
        Change::PutRecord(_) | Change::DeleteRecord { .. } | Change::Remember(_) => Vec::new(),
    }
}

fn link_key(id: LinkId) -> Vec<u8> {
    keys::with_id(&[], id.0)
}

fn stamp_row(stamp: Stamp) -> Row {
    let bytes = [&stamp.store[..], &stamp.secret, &stamp.revision.0.to_le_bytes()].concat();
    Row::put(SnapshotTable::Meta, STAMP.to_vec(), codec::seal(bytes))
}

fn read_stamp(value: &[u8]) -> Option<Stamp> {
    let mut fields = codec::Fields(codec::unseal(value)?);
    let (store, secret) = (fields.array()?, fields.array()?);
    let revision = Revision(u64::from_le_bytes(fields.array()?));
    fields.end(Stamp { store, secret, revision })
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
