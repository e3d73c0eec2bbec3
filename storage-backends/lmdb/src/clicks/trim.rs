//! Retention: raw clicks that were received long ago go, what they were counted in stays.
//!
//! Whole runs go at once; of the one run or two that the time falls into, blocks are written anew
//! without the older clicks. A redirect's click was received when it was clicked, so runs are in
//! the order of retention already.

use heed::{RoTxn, RwTxn};
use waypost_link::Timestamp;
use waypost_storage::{Result, Sink, Trimmed};

use super::{
    Clicks, block,
    bytes::senseless,
    events, limits,
    stored::{self, Click, Run, TRIMMED},
    tables::{self, ClickTable, Key},
};
use crate::fault::Tried;

/// Takes away raw clicks received before `time`.
pub(super) fn before(clicks: &Clicks, time: Timestamp) -> Result<Trimmed> {
    clicks.flush()?;
    clicks.write(move |tables, txn| {
        let mut trimmed = trim_events(tables, txn, time)?;
        let mut blocks = 0;
        while blocks < limits::TRIM {
            let Some(run) = next_run(tables, txn, time)? else { break };
            let (clicks, looked) = trim_run(tables, txn, run, time)?;
            trimmed.clicks += clicks;
            blocks += looked + 1;
        }
        trimmed.more |= blocks >= limits::TRIM;
        if trimmed.clicks > 0 {
            let before = stored::number(tables, txn, ClickTable::Meta, TRIMMED)?.unwrap_or(0);
            let mark = tables::sortable(time.0).max(before);
            stored::put_number(tables, txn, ClickTable::Meta, TRIMMED, mark)?;
        }
        Ok(trimmed)
    })
}

fn trim_events(tables: &Click, txn: &mut RwTxn<'_>, time: Timestamp) -> Tried<Trimmed> {
    let end = Key::new().signed(time.0);
    let mut old = Vec::new();
    for row in tables.at(ClickTable::Receipts).from(txn, &[])? {
        let (key, value) = row?;
        if key >= &end[..] || old.len() >= limits::TRIM {
            break;
        }
        let receipt = tables::read_receipt(key).ok_or_else(|| senseless("receipts"))?;
        old.push((receipt, value.to_vec()));
    }
    for (receipt, value) in &old {
        events::remove(tables, txn, *receipt, value)?;
    }
    Ok(Trimmed { clicks: old.len() as u64, more: old.len() >= limits::TRIM })
}

/// The first run with a click received before `time`.
fn next_run(tables: &Click, txn: &RoTxn<'_>, time: Timestamp) -> Tried<Option<Run>> {
    for row in tables.at(ClickTable::Runs).from(txn, &[])? {
        let (key, value) = row?;
        let run = Run::decode(key, value)?;
        if run.hour > time.hour() {
            break;
        }
        if run.first < time.0 {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Takes a run's older clicks away: how many, of how many blocks.
fn trim_run(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    mut run: Run,
    time: Timestamp,
) -> Tried<(u64, usize)> {
    let key = run.key();
    if run.last < time.0 {
        let blocks = tables.at(ClickTable::Blocks).scan();
        let end = Key::new().signed(run.hour).small(run.number).id(u64::MAX).id(u64::MAX);
        let end = end.id(u64::MAX).small(u32::MAX);
        let looked = blocks.delete_range(txn, &tables::span(&key, &end))?;
        forget_run(tables, txn, &run)?;
        return Ok((run.clicks, looked));
    }
    let mut keys = Vec::new();
    for row in tables.at(ClickTable::Blocks).scan().prefix_iter(txn, &key)? {
        keys.push(row?.0.to_vec());
    }
    let kept = |click: &block::Raw<'_>| click.at >= time.0;
    for key in &keys {
        run.clicks -= rewrite(tables, txn, key, run.hour, kept)?.min(run.clicks);
    }
    let gone = run_clicks(tables, txn, &key)?.saturating_sub(run.clicks);
    run.first = run.first.max(time.0);
    tables.at(ClickTable::Runs).put(txn, &key, &run.encode(), false)?;
    Ok((gone, keys.len()))
}

/// Writes a block anew with the clicks that are `kept` only; how many are gone.
pub(super) fn rewrite(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    key: &[u8],
    hour: i64,
    kept: impl Fn(&block::Raw<'_>) -> bool,
) -> Tried<u64> {
    let Some(value) = tables.at(ClickTable::Blocks).get(txn, key)? else { return Ok(0) };
    let (mut gone, mut groups) = (0, Vec::new());
    for group in block::groups(value)? {
        let clicks = group.clicks(hour)?;
        let stay: Vec<_> = clicks.iter().copied().filter(&kept).collect();
        gone += (clicks.len() - stay.len()) as u64;
        if stay.len() == clicks.len() {
            groups.push(group.bytes.to_vec());
        } else if !stay.is_empty() {
            groups.push(block::regroup(group.link, hour, &stay));
        }
    }
    if gone > 0 {
        match block::rebuild(groups.iter().map(Vec::as_slice)) {
            Some(value) => tables.at(ClickTable::Blocks).put(txn, key, &value, false)?,
            None => drop(tables.at(ClickTable::Blocks).delete(txn, key)?),
        }
    }
    Ok(gone)
}

/// The clicks of a run as it is stored.
fn run_clicks(tables: &Click, txn: &RoTxn<'_>, key: &[u8]) -> Tried<u64> {
    let value = tables.at(ClickTable::Runs).get(txn, key)?;
    value.map_or(Ok(0), |value| Run::decode(key, value).map(|run| run.clicks))
}

/// Takes away a run whose blocks are gone, and the texts that no other run of its flush names.
pub(super) fn forget_run(tables: &Click, txn: &mut RwTxn<'_>, run: &Run) -> Tried<()> {
    tables.at(ClickTable::Runs).delete(txn, &run.key())?;
    let left = stored::runs_of(tables, txn, run.number)?.saturating_sub(1);
    if left > 0 {
        return stored::put_runs_of(tables, txn, run.number, left);
    }
    let (first, last) = (Key::new().small(run.number), Key::new().small(run.number).id(u64::MAX));
    tables.at(ClickTable::Texts).scan().delete_range(txn, &tables::span(&first, &last))?;
    Ok(())
}
