//! Closing hours: what an open hour's row counts goes into the link's hour, its day and all time.
//!
//! A flush raises one small row for a link, however long the link has been clicked; the three that
//! keep growing are written once for each hour. Whoever reads counts open hours in.

use std::collections::BTreeMap;

use postgres::Transaction;
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{Counts, Grain};

use super::{
    counts,
    fold::number,
    rollups::{self, LINKS, OPEN, Place},
    slot,
};
use crate::{
    ask::{Ask, Value},
    fault::Tried,
    limits,
};

/// Closes some of the hours that are over, of a slot that nobody writes to now; whether there may
/// be more.
pub(super) fn over(txn: &mut Transaction<'_>) -> Tried<bool> {
    let sql = "SELECT start, slot FROM waypost.open_hours \
               WHERE start < floor(extract(epoch FROM now()) / 3600) ORDER BY start LIMIT 1";
    let Some(row) = txn.ask_opt(sql, &[])? else { return Ok(false) };
    let (start, slot): (i64, i32) = (row.get(0), row.get(1));
    if !slot::take_this(txn, slot)? {
        return Ok(false);
    }
    close(txn, slot, "start = $1 AND slot = $2", &[&start, &slot])?;
    Ok(true)
}

/// Closes some of all hours, while nobody writes; whether there may be more.
pub(super) fn any(txn: &mut Transaction<'_>) -> Tried<bool> {
    slot::take_all(txn)?;
    close(txn, 0, "true", &[])
}

/// Closes a link's hours. The caller holds all slots.
pub(super) fn of_link(txn: &mut Transaction<'_>, link: LinkId) -> Tried<()> {
    while close(txn, 0, "link_id = $1", &[&(link.0 as i64)])? {}
    Ok(())
}

/// Moves [`limits::ROWS`] rows at most, into buckets of `slot`; whether that many were there.
fn close(txn: &mut Transaction<'_>, slot: i32, which: &str, values: &[&dyn Value]) -> Tried<bool> {
    let sql = format!(
        "DELETE FROM {name} WHERE ctid = ANY (ARRAY \
             (SELECT ctid FROM {name} WHERE {which} LIMIT {})) \
         RETURNING link_id, start, workspace_id, {}",
        limits::ROWS,
        counts::COLUMNS,
        name = OPEN.name,
    );
    let rows = txn.ask(&sql, values)?;
    let (mut buckets, mut owners) = (BTreeMap::<Place, Counts>::new(), BTreeMap::new());
    for row in &rows {
        let (link, start): (i64, i64) = (row.get(0), row.get(1));
        let (at, counts) =
            (Timestamp(start.saturating_mul(Timestamp::HOUR)), counts::read(row, 3)?);
        owners.insert(link, WorkspaceId(row.get::<_, i64>(2) as u64));
        for grain in [Grain::Hour, Grain::Day, Grain::All] {
            buckets.entry((link, number(grain), grain.bucket(at))).or_default().merge(&counts);
        }
    }
    rollups::merge(txn, &LINKS, slot, buckets, |link| owners.get(&link).copied())?;
    Ok(rows.len() == limits::ROWS)
}
