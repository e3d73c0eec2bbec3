//! Batches into the database: raw clicks, roll-ups and marks in one transaction.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    panic::resume_unwind,
    sync::Arc,
    thread,
};

use postgres::{Client, Transaction};
use waypost_agent::Details;
use waypost_link::LinkId;
use waypost_storage::{AgentDetails, BatchError, Epoch, Error, Mark, Result, Row};

use super::{
    Taken,
    copy::{self, Raw},
    deltas::Deltas,
    gather::known_of,
    partitions::Partitions,
    rollups, slot,
};
use crate::{database::Database, fault::Tried};

/// Clicks that are fetched together.
const NEAR: usize = 16;

/// What a user agent says.
pub(super) fn agent(user_agent: &str) -> AgentDetails {
    let Details { browser, os, device, bot, .. } = waypost_agent::details(user_agent.as_bytes());
    AgentDetails { browser: browser.as_str(), os: os.as_str(), device: device.as_str(), bot }
}

/// The last sequence of `epoch` that was written, 0 where none was.
pub(super) fn mark(client: &mut Client, epoch: Epoch) -> Tried<u64> {
    let sql = "SELECT sequence FROM waypost.marks WHERE epoch = $1";
    let row = client.query_opt(sql, &[&&epoch.0.to_be_bytes()[..]])?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0) as u64))
}

/// The links whose clicks are discarded.
pub(super) fn purged(client: &mut Client) -> Tried<HashSet<LinkId>> {
    let rows = client.query("SELECT link_id FROM waypost.purged", &[])?;
    Ok(rows.iter().map(|row| LinkId(row.get::<_, i64>(0) as u64)).collect())
}

/// Those of `links` whose clicks are discarded, as this transaction sees it.
pub(super) fn purged_of(
    txn: &mut Transaction<'_>,
    links: impl Iterator<Item = LinkId>,
) -> Tried<HashSet<LinkId>> {
    let mut links: Vec<_> = links.map(|link| link.0 as i64).collect();
    links.sort_unstable();
    links.dedup();
    let sql = "SELECT link_id FROM waypost.purged WHERE link_id = ANY($1)";
    let rows = txn.query(sql, &[&links])?;
    Ok(rows.iter().map(|row| LinkId(row.get::<_, i64>(0) as u64)).collect())
}

/// The clicks of a batch.
pub(super) type Clicks<'c> = (Mark, Vec<Row<'c>>);

/// Writes those of `batches` that the database doesn't have.
pub(super) fn write(
    database: &Database,
    partitions: &Partitions,
    batches: &[Arc<Taken>],
) -> Result<()> {
    let all: Vec<_> = batches.iter().map(|taken| read(taken)).collect::<Result<_>>()?;
    // Collected, all would be sorted first.
    let mut days = BTreeSet::new();
    days.extend(rows(&all).map(|row| row.id.received.day()));
    partitions.make(database, &days)?;
    database.write(|txn| put(txn, &all))
}

/// The clicks of a batch that was taken.
pub(super) fn read(taken: &Taken) -> Result<Clicks<'_>> {
    let corrupt = |error: BatchError| Error::Corrupt(error.to_string());
    let mut rows = Vec::with_capacity(taken.batch.len());
    for row in taken.batch.rows() {
        rows.push(row.map_err(corrupt)?);
    }
    Ok((taken.mark, rows))
}

/// Writes those of `batches` whose marks aren't there, and their marks.
pub(super) fn put(txn: &mut Transaction<'_>, batches: &[Clicks<'_>]) -> Tried<()> {
    let slot = slot::take(txn)?;
    let marks = marks(txn, batches)?;
    let purged = purged_of(txn, rows(batches).map(|row| row.id.link))?;
    let fresh: Vec<Vec<_>> = batches
        .iter()
        .filter(|(mark, _)| mark.sequence > marks.get(&mark.epoch).copied().unwrap_or_default())
        .map(|(_, rows)| {
            rows.iter().filter(|row| purged.is_empty() || !purged.contains(&row.id.link)).collect()
        })
        .collect();
    let deltas = copy_and_count(txn, &fresh)?;
    rollups::raise(txn, slot, deltas)?;
    put_marks(txn, batches)
}

fn rows<'b, 'c>(batches: &'b [Clicks<'c>]) -> impl Iterator<Item = &'b Row<'c>> {
    batches.iter().flat_map(|(_, rows)| rows)
}

/// Copies clicks in, and counts them while the database takes them.
fn copy_and_count<'c>(txn: &mut Transaction<'_>, batches: &[Vec<&Row<'c>>]) -> Tried<Deltas<'c>> {
    thread::scope(|scope| {
        let deltas = scope.spawn(|| Deltas::of(batches));
        let sorted = by_link(batches);
        copy::copy(txn, sorted.chunks(NEAR).flat_map(raw))?;
        deltas.join().map_err(|panic| resume_unwind(panic))
    })
}

/// A click that is to be copied, and whether a bot made it.
type Sorted<'b, 'c> = (LinkId, bool, &'b Row<'c>);

/// The clicks by link: in that order, the index by link takes them in fastest. Each user agent is
/// looked into once.
fn by_link<'b, 'c>(batches: &'b [Vec<&'b Row<'c>>]) -> Vec<Sorted<'b, 'c>> {
    let mut bots = HashMap::new();
    let mut all = Vec::with_capacity(batches.iter().map(Vec::len).sum());
    for rows in batches {
        let mut known = Vec::new();
        all.extend(rows.iter().map(|&row| {
            let bot = known_of(&mut known, row.user_agent, |text| {
                *bots.entry(text).or_insert_with(|| agent(text).bot)
            });
            (row.id.link, bot, row)
        }));
    }
    all.sort_by_key(|(link, ..)| *link);
    all
}

/// Clicks as they are kept. By link they lie anywhere in memory: some are fetched together, so that
/// the core waits for all of them at once.
fn raw<'c>(clicks: &[Sorted<'_, 'c>]) -> Vec<Raw<'c>> {
    clicks.iter().map(|&(_, bot, row)| Raw::of_row(row, bot)).collect()
}

/// What is written of the epochs of these batches, locked. A lock holds what is there, so a new
/// epoch's mark is made first: whoever else has made one is waited for, and then seen.
fn marks(txn: &mut Transaction<'_>, batches: &[Clicks<'_>]) -> Tried<BTreeMap<Epoch, u64>> {
    let epochs: Vec<_> =
        batches.iter().map(|(mark, _)| mark.epoch.0.to_be_bytes().to_vec()).collect();
    let sql = "INSERT INTO waypost.marks (epoch, sequence) \
               SELECT DISTINCT e, 0 FROM unnest($1::bytea[]) AS e ORDER BY e ON CONFLICT DO NOTHING";
    txn.execute(sql, &[&epochs])?;
    let sql = "SELECT epoch, sequence FROM waypost.marks WHERE epoch = ANY($1) \
               ORDER BY epoch FOR UPDATE";
    let mut marks = BTreeMap::new();
    for row in txn.query(sql, &[&epochs])? {
        if let Ok(bytes) = row.get::<_, &[u8]>(0).try_into() {
            marks.insert(Epoch(u128::from_be_bytes(bytes)), row.get::<_, i64>(1) as u64);
        }
    }
    Ok(marks)
}

fn put_marks(txn: &mut Transaction<'_>, batches: &[Clicks<'_>]) -> Tried<()> {
    let last: BTreeMap<_, _> =
        batches.iter().map(|(mark, _)| (mark.epoch, mark.sequence)).collect();
    for (epoch, sequence) in last {
        let sql = "UPDATE waypost.marks SET sequence = greatest(sequence, $2) WHERE epoch = $1";
        txn.execute(sql, &[&&epoch.0.to_be_bytes()[..], &(sequence as i64)])?;
    }
    Ok(())
}
