//! Batches into the database: raw clicks, roll-ups and marks in one transaction.

use std::{
    collections::{BTreeMap, HashSet},
    panic::resume_unwind,
    sync::Arc,
    thread,
};

use postgres::{Client, Transaction};
use waypost_agent::Details;
use waypost_link::LinkId;
use waypost_storage::{AgentDetails, Epoch, Result};

use super::{
    Taken,
    copy::{self, Raw},
    deltas::Deltas,
    gather::{Gathered, Memory, Sorted},
    partitions::Partitions,
    rollups, slot,
};
use crate::{ask::Ask, database::Database, fault::Tried};

/// What a user agent says.
pub(super) fn agent(user_agent: &str) -> AgentDetails {
    let Details { browser, os, device, bot, .. } = waypost_agent::details(user_agent.as_bytes());
    AgentDetails { browser: browser.as_str(), os: os.as_str(), device: device.as_str(), bot }
}

/// The last sequence of `epoch` that was written, 0 where none was.
pub(super) fn mark(client: &mut Client, epoch: Epoch) -> Tried<u64> {
    let sql = "SELECT sequence FROM waypost.marks WHERE epoch = $1";
    let row = client.ask_opt(sql, &[&&epoch.0.to_be_bytes()[..]])?;
    Ok(row.map_or(0, |row| row.get::<_, i64>(0) as u64))
}

/// The links whose clicks are discarded.
pub(super) fn purged(client: &mut Client) -> Tried<HashSet<LinkId>> {
    let rows = client.ask("SELECT link_id FROM waypost.purged", &[])?;
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
    let rows = txn.ask(sql, &[&links])?;
    Ok(rows.iter().map(|row| LinkId(row.get::<_, i64>(0) as u64)).collect())
}

/// Writes those of `batches` that the database doesn't have.
pub(super) fn write(
    database: &Database,
    partitions: &Partitions,
    batches: &[Arc<Taken>],
    memory: &mut Memory,
) -> Result<()> {
    let gathered = Gathered::of(batches.iter().map(Arc::as_ref), memory)?;
    partitions.make(database, &gathered.days())?;
    database.write(|txn| put(txn, gathered))
}

/// Writes those batches whose marks aren't there, and their marks.
pub(super) fn put(txn: &mut Transaction<'_>, mut gathered: Gathered<'_>) -> Tried<()> {
    let slot = slot::take(txn)?;
    let new: BTreeMap<_, _> = gathered.marks().map(|mark| (mark.epoch, mark.sequence)).collect();
    gathered.keep_fresh(&marks(txn, new.keys())?);
    let mut sorted = gathered.sorted();
    sorted.without(&purged_of(txn, sorted.links())?);
    let deltas = copy_and_count(txn, &sorted)?;
    rollups::raise(txn, slot, deltas)?;
    put_marks(txn, new)
}

/// Copies clicks in, and counts them while the database takes them.
fn copy_and_count<'s>(txn: &mut Transaction<'_>, sorted: &'s Sorted<'_>) -> Tried<Deltas<'s>> {
    thread::scope(|scope| {
        let deltas = scope.spawn(|| Deltas::of(sorted));
        copy::copy(txn, sorted.hits.iter().map(|hit| Raw::of_hit(hit, &sorted.texts)))?;
        deltas.join().map_err(|panic| resume_unwind(panic))
    })
}

/// What is written of the epochs of these batches, locked. A lock holds what is there, so a new
/// epoch's mark is made first: whoever else has made one is waited for, and then seen.
fn marks<'e>(
    txn: &mut Transaction<'_>,
    epochs: impl Iterator<Item = &'e Epoch>,
) -> Tried<BTreeMap<Epoch, u64>> {
    let epochs: Vec<_> = epochs.map(|epoch| epoch.0.to_be_bytes().to_vec()).collect();
    let sql = "INSERT INTO waypost.marks (epoch, sequence) \
               SELECT e, 0 FROM unnest($1::bytea[]) AS e ORDER BY e ON CONFLICT DO NOTHING";
    txn.tell(sql, &[&epochs])?;
    let sql = "SELECT epoch, sequence FROM waypost.marks WHERE epoch = ANY($1) \
               ORDER BY epoch FOR UPDATE";
    let mut marks = BTreeMap::new();
    for row in txn.ask(sql, &[&epochs])? {
        if let Ok(bytes) = row.get::<_, &[u8]>(0).try_into() {
            marks.insert(Epoch(u128::from_be_bytes(bytes)), row.get::<_, i64>(1) as u64);
        }
    }
    Ok(marks)
}

fn put_marks(txn: &mut Transaction<'_>, marks: BTreeMap<Epoch, u64>) -> Tried<()> {
    for (epoch, sequence) in marks {
        let sql = "UPDATE waypost.marks SET sequence = greatest(sequence, $2) WHERE epoch = $1";
        txn.tell(sql, &[&&epoch.0.to_be_bytes()[..], &(sequence as i64)])?;
    }
    Ok(())
}
