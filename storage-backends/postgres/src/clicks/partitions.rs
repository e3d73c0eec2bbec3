//! The partitions of raw clicks: one a UTC day of receipt, made before they are needed.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use postgres::Transaction;
use waypost_link::Timestamp;
use waypost_storage::Result;

use crate::{ask::Ask, database::Database, fault::Tried};

/// The lock of whoever makes or drops partitions.
const LOCK: i64 = 0x7761_7970_6f73_7401;
/// Days made ahead of the one that is asked for.
const AHEAD: i64 = 2;

/// The days that are known to have one.
#[derive(Default)]
pub(super) struct Partitions(Mutex<BTreeSet<i64>>);

impl Partitions {
    /// Makes those of `days`, and a few more, where they are missing.
    pub(super) fn make(&self, database: &Database, days: &BTreeSet<i64>) -> Result<()> {
        let known = self.0.lock().clone();
        if days.iter().all(|day| known.contains(day)) {
            return Ok(());
        }
        let days: BTreeSet<i64> = days
            .iter()
            .flat_map(|day| *day..=day.saturating_add(AHEAD))
            .filter(|day| !known.contains(day))
            .collect();
        database.write(|txn| {
            lock(txn)?;
            for day in &days {
                txn.batch_execute(&format!(
                    "CREATE TABLE IF NOT EXISTS {} PARTITION OF waypost.clicks \
                     FOR VALUES FROM ({}) TO ({})",
                    name(*day),
                    start(*day),
                    start(day.saturating_add(1)),
                ))?;
            }
            Ok(())
        })?;
        self.0.lock().extend(days);
        Ok(())
    }

    /// Looks anew from now on: some may have been dropped.
    pub(super) fn forget(&self) {
        self.0.lock().clear();
    }
}

/// Waits for others who make or drop partitions.
pub(super) fn lock(txn: &mut Transaction<'_>) -> Tried<()> {
    txn.tell("SELECT pg_advisory_xact_lock($1)", &[&LOCK])?;
    Ok(())
}

/// The partition of a day, counted from 1970; `m` stands for a minus.
pub(super) fn name(day: i64) -> String {
    let sign = if day < 0 { "m" } else { "" };
    format!("waypost.clicks_day_{sign}{}", day.unsigned_abs())
}

/// The first microsecond of a day.
pub(super) fn start(day: i64) -> i64 {
    day.saturating_mul(Timestamp::DAY)
}

/// The days that have one, oldest first.
pub(super) fn days(txn: &mut Transaction<'_>) -> Tried<Vec<i64>> {
    let sql = "SELECT relname::text FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid \
               WHERE inhparent = 'waypost.clicks'::regclass";
    let rows = txn.ask(sql, &[])?;
    let mut days: Vec<i64> = rows.iter().filter_map(|row| day(row.get(0))).collect();
    days.sort_unstable();
    Ok(days)
}

fn day(name: &str) -> Option<i64> {
    let number = name.strip_prefix("clicks_day_")?;
    match number.strip_prefix('m') {
        Some(number) => number.parse::<i64>().ok().map(|day| -day),
        None => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_day() {
        for of in [-3, 0, 20_000] {
            assert_eq!(day(name(of).trim_start_matches("waypost.")), Some(of));
        }
        assert_eq!(day("links"), None);
    }
}
