//! Hours into days and all time: not with every click, but once an hour is over.
//!
//! A mark moves through the hour buckets in key order. What is before it is in the buckets of its
//! day and of all time; what is not is added by readers, and there is an hour or two of that. A
//! flush moves the mark by as many buckets as it wrote or more, so it can't fall behind.

use heed::{RoTxn, RwTxn};
use waypost_link::Timestamp;
use waypost_storage::{Counts, Grain};

use super::{
    bucket::Bucket,
    bytes::senseless,
    generation::Place,
    stored::{self, Click},
    tables::{self, ClickTable},
};
use crate::fault::Tried;

/// Hours of a day.
const HOURS: i64 = 24;

/// The day of an hour.
pub(super) const fn day(hour: i64) -> i64 {
    hour.div_euclid(HOURS)
}

/// Moves the mark towards the start of `hour`, by at most `budget` buckets.
pub(super) fn roll(tables: &Click, txn: &mut RwTxn<'_>, hour: i64, budget: usize) -> Tried<()> {
    let mut rolled = stored::rolled(tables, txn)?;
    let end = Place { hour, workspace: 0, link: 0 };
    for _ in 0..budget {
        let Some((place, bucket)) = next_hour_bucket(tables, txn, rolled)? else { break };
        if place >= end {
            rolled = rolled.max(end);
            break;
        }
        add_to_days(tables, txn, place, &bucket.counts)?;
        rolled = after(place);
    }
    stored::put_rolled(tables, txn, rolled)
}

/// Adds `more` to the hour bucket of `place`, and to those of day and all time where that hour is
/// in them.
pub(super) fn add(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    rolled: Place,
    place: Place,
    more: &Bucket,
) -> Tried<()> {
    let owner = (place.workspace, place.link);
    let mut bucket = load(tables, txn, Grain::Hour, place.hour, owner)?;
    bucket.add(&more.counts);
    bucket.runs.extend_from_slice(&more.runs);
    bucket.runs.sort_unstable();
    bucket.runs.dedup();
    save(tables, txn, Grain::Hour, place.hour, owner, &bucket)?;
    if place < rolled { add_to_days(tables, txn, place, &more.counts) } else { Ok(()) }
}

/// Says in the hour bucket of `place` that `run` has clicks of it.
pub(super) fn name_run(tables: &Click, txn: &mut RwTxn<'_>, place: Place, run: u32) -> Tried<()> {
    let owner = (place.workspace, place.link);
    let mut bucket = load(tables, txn, Grain::Hour, place.hour, owner)?;
    bucket.runs.push(run);
    save(tables, txn, Grain::Hour, place.hour, owner, &bucket)
}

/// Adds to a bucket that another store has counted; whatever its hours, the mark passes them.
pub(super) fn restore(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    grain: Grain,
    place: Place,
    counts: &Counts,
) -> Tried<()> {
    let owner = (place.workspace, place.link);
    let mut bucket = load(tables, txn, grain, place.hour, owner)?;
    bucket.add(counts);
    save(tables, txn, grain, place.hour, owner, &bucket)?;
    if grain != Grain::Hour {
        return Ok(());
    }
    let rolled = stored::rolled(tables, txn)?;
    stored::put_rolled(tables, txn, rolled.max(after(place)))
}

/// A stored bucket, or an empty one.
pub(super) fn load(
    tables: &Click,
    txn: &RoTxn<'_>,
    grain: Grain,
    start: i64,
    owner: (u64, u64),
) -> Tried<Bucket> {
    let value = stored::bucket(tables, txn, grain, start, owner)?;
    value.map_or(Ok(Bucket::default()), Bucket::decode)
}

/// Writes a bucket; one that holds nothing is taken away.
pub(super) fn save(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    grain: Grain,
    start: i64,
    (workspace, link): (u64, u64),
    bucket: &Bucket,
) -> Tried<()> {
    let key = tables::bucket(grain, start, workspace, link);
    if bucket.counts.is_empty() {
        tables.at(ClickTable::Buckets).delete(txn, &key).map(drop)
    } else {
        tables.at(ClickTable::Buckets).put(txn, &key, &bucket.encode(), false)
    }
}

/// The hours from `from` to before `to` that are not all rolled up and hold anything of anybody.
pub(super) fn open_hours(
    tables: &Click,
    txn: &RoTxn<'_>,
    rolled: Place,
    (from, to): (i64, i64),
) -> Tried<Vec<i64>> {
    let mut hours = Vec::new();
    let mut next = rolled.hour.max(from);
    while next < to {
        let start = Place { hour: next, workspace: 0, link: 0 };
        let Some((place, _)) = next_place(tables, txn, start)? else { break };
        if place.hour >= to {
            break;
        }
        hours.push(place.hour);
        next = place.hour.saturating_add(1);
    }
    Ok(hours)
}

fn add_to_days(tables: &Click, txn: &mut RwTxn<'_>, place: Place, counts: &Counts) -> Tried<()> {
    let owner = (place.workspace, place.link);
    for (grain, start) in [(Grain::Day, day(place.hour)), (Grain::All, 0)] {
        let mut bucket = load(tables, txn, grain, start, owner)?;
        bucket.add(counts);
        save(tables, txn, grain, start, owner, &bucket)?;
    }
    Ok(())
}

fn next_hour_bucket(
    tables: &Click,
    txn: &RoTxn<'_>,
    start: Place,
) -> Tried<Option<(Place, Bucket)>> {
    let found = next_place(tables, txn, start)?;
    found.map(|(place, value)| Ok((place, Bucket::decode(value)?))).transpose()
}

/// The first hour bucket at `start` or after.
fn next_place<'x>(
    tables: &Click,
    txn: &'x RoTxn<'_>,
    start: Place,
) -> Tried<Option<(Place, &'x [u8])>> {
    let table = tables.at(ClickTable::Buckets).scan();
    let key = tables::hour_bucket(&start);
    let Some((key, value)) = table.get_greater_than_or_equal_to(txn, &key)? else {
        return Ok(None);
    };
    let (grain, place) = tables::read_bucket(key).ok_or_else(|| senseless("buckets"))?;
    Ok((grain == Grain::Hour as u8).then_some((place, value)))
}

/// The place right behind this one.
fn after(place: Place) -> Place {
    match place.link.checked_add(1) {
        Some(link) => Place { link, ..place },
        None => Place { workspace: place.workspace.saturating_add(1), link: 0, ..place },
    }
}

const _: () = assert!(Timestamp::DAY == HOURS * Timestamp::HOUR);
