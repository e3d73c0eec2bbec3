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
use waypost_storage::{AgentDetails, Epoch, Mark, Result};

use super::{
    Taken,
    copy::{self, Raw},
    deltas::Deltas,
    gather::{Gathered, Memory, Sorted, Written},
    lane::{self, LANES, Lanes},
    partitions::Partitions,
    rollups, slot,
};
use crate::{ask::Ask, database::Database, fault::Tried, limits};

/// What a user agent says.
pub(super) fn agent(user_agent: &str) -> AgentDetails {
    let Details { browser, os, device, bot, .. } = waypost_agent::details(user_agent.as_bytes());
    AgentDetails { browser: browser.as_str(), os: os.as_str(), device: device.as_str(), bot }
}

/// The last sequence of `epoch` that was written, 0 where none was.
pub(super) fn mark(client: &mut Client, epoch: Epoch) -> Tried<u64> {
    let sql = "SELECT sequence FROM waypost.marks WHERE epoch = $1";
    let row = client.ask_opt(sql, &[&bytes(&epoch)])?;
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

/// The memory of a flush, by lane.
pub(super) type Memories = [Memory; LANES];

/// Writes those of `batches` that the database doesn't have: of many clicks every lane at once.
pub(super) fn write(
    database: &Database,
    partitions: &Partitions,
    batches: &[Arc<Taken>],
    memories: &mut Memories,
) -> Result<()> {
    let write = |lanes: Lanes, memory| -> Result<()> {
        let gathered = Gathered::of(batches.iter().map(Arc::as_ref), &lanes, memory)?;
        partitions.make(database, &gathered.days())?;
        database.write(|txn| put(txn, lanes, gathered))
    };
    let clicks: usize = batches.iter().map(|taken| taken.batch.len()).sum();
    if clicks < limits::SPLIT || database.connections() < limits::SPLIT_CONNECTIONS {
        return write(lane::all(), &mut memories[0]);
    }
    thread::scope(|scope| {
        let lanes = lane::all().zip(memories);
        let lanes = lanes.map(|(lane, memory)| scope.spawn(move || write(lane..lane + 1, memory)));
        let lanes: Vec<_> = lanes.collect();
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|e| resume_unwind(e)))
    })?;
    database.write(|txn| put_marks(txn, &last(batches.iter().map(|taken| taken.mark))))
}

/// Writes the clicks of these lanes whose marks aren't there, and their marks.
pub(super) fn put(
    txn: &mut Transaction<'_>,
    lanes: Lanes,
    mut gathered: Gathered<'_>,
) -> Tried<()> {
    let slot = slot::take(txn, lanes.start)?;
    let new = last(gathered.marks());
    gathered.keep_fresh(&lane_marks(txn, new.keys(), &lanes)?);
    let mut sorted = gathered.sorted();
    sorted.without(&purged_of(txn, sorted.links())?);
    let deltas = copy_and_count(txn, &sorted)?;
    rollups::raise(txn, slot, deltas)?;
    put_lane_marks(txn, &lanes, &new)?;
    if lanes == lane::all() { put_marks(txn, &new) } else { Ok(()) }
}

/// Copies clicks in, and counts them while the database takes them.
fn copy_and_count<'s>(txn: &mut Transaction<'_>, sorted: &'s Sorted<'_>) -> Tried<Deltas<'s>> {
    thread::scope(|scope| {
        let deltas = scope.spawn(|| Deltas::of(sorted));
        copy::copy(txn, sorted.hits.iter().map(|hit| Raw::of_hit(hit, &sorted.texts)))?;
        deltas.join().map_err(|panic| resume_unwind(panic))
    })
}

/// The last sequence of each epoch.
fn last(marks: impl Iterator<Item = Mark>) -> BTreeMap<Epoch, u64> {
    marks.map(|mark| (mark.epoch, mark.sequence)).collect()
}

/// What these lanes have written of these epochs, locked. A lock holds what is there, so the mark of a
/// new epoch is made first: whoever else has made it is waited for, and then seen. What the version
/// before wrote, which knows no lanes, all of them have.
fn lane_marks<'e>(
    txn: &mut Transaction<'_>,
    epochs: impl Iterator<Item = &'e Epoch>,
    lanes: &Lanes,
) -> Tried<Written> {
    let epochs: Vec<_> = epochs.map(bytes).collect();
    let lanes: Vec<_> = lanes.clone().collect();
    let sql = "INSERT INTO waypost.lane_marks (epoch, lane, sequence) \
               SELECT e, l, 0 FROM unnest($1::bytea[]) AS e CROSS JOIN unnest($2::smallint[]) AS l \
               ORDER BY e, l ON CONFLICT DO NOTHING";
    txn.tell(sql, &[&epochs, &lanes])?;
    let sql = "SELECT l.epoch, l.lane, greatest(l.sequence, m.sequence) \
               FROM waypost.lane_marks AS l LEFT JOIN waypost.marks AS m ON m.epoch = l.epoch \
               WHERE l.epoch = ANY($1) AND l.lane = ANY($2) \
               ORDER BY l.epoch, l.lane FOR UPDATE OF l";
    let mut written = Written::new();
    for row in txn.ask(sql, &[&epochs, &lanes])? {
        if let Ok(bytes) = row.get::<_, &[u8]>(0).try_into() {
            let epoch = Epoch(u128::from_be_bytes(bytes));
            written.insert((epoch, row.get(1)), row.get::<_, i64>(2) as u64);
        }
    }
    Ok(written)
}

fn put_lane_marks(
    txn: &mut Transaction<'_>,
    lanes: &Lanes,
    marks: &BTreeMap<Epoch, u64>,
) -> Tried<()> {
    let lanes: Vec<_> = lanes.clone().collect();
    for (epoch, sequence) in marks {
        let sql = "UPDATE waypost.lane_marks SET sequence = greatest(sequence, $2) \
                   WHERE epoch = $1 AND lane = ANY($3)";
        txn.tell(sql, &[&bytes(epoch), &(*sequence as i64), &lanes])?;
    }
    Ok(())
}

/// What all lanes have written.
fn put_marks(txn: &mut Transaction<'_>, marks: &BTreeMap<Epoch, u64>) -> Tried<()> {
    for (epoch, sequence) in marks {
        let sql = "INSERT INTO waypost.marks (epoch, sequence) VALUES ($1, $2) \
                   ON CONFLICT (epoch) DO UPDATE \
                   SET sequence = greatest(marks.sequence, EXCLUDED.sequence)";
        txn.tell(sql, &[&bytes(epoch), &(*sequence as i64)])?;
    }
    Ok(())
}

/// Forgets the marks of an epoch.
pub(super) fn forget(txn: &mut Transaction<'_>, epoch: Epoch) -> Tried<()> {
    txn.tell("DELETE FROM waypost.marks WHERE epoch = $1", &[&bytes(&epoch)])?;
    txn.tell("DELETE FROM waypost.lane_marks WHERE epoch = $1", &[&bytes(&epoch)])?;
    Ok(())
}

/// An epoch as it is stored.
fn bytes(epoch: &Epoch) -> Vec<u8> {
    epoch.0.to_be_bytes().to_vec()
}
