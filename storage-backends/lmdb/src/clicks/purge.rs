//! Purging a deleted link: its raw clicks, buckets, dedupe keys and conversions go, and its
//! counts are taken out of its workspace's buckets.
//!
//! From the first commit on the link is in `purged`: appended clicks of it are discarded and
//! readers don't see it, though it takes several commits, each of a bounded number of hours, until
//! all is gone. An hour's buckets go in the commit that subtracts them, so doing it again, or
//! going on after a crash, takes nothing away twice. The row of totals goes last.

use heed::{RoTxn, RwTxn};
use waypost_link::{LinkId, WorkspaceId};
use waypost_storage::{Counts, Grain, Result, Sink, Trimmed};

use super::{
    Clicks, bucket,
    bytes::senseless,
    events,
    generation::Place,
    limits,
    purged::Purged,
    rollup, search,
    stored::{self, Click, Row, Run},
    tables::{self, ClickTable, Key},
    tally::empty_day,
    trim::rewrite,
};
use crate::fault::Tried;

/// What `purged` says of a link.
const UNFINISHED: u64 = 0;
pub(super) const DONE: u64 = 1;

/// The deleted links of the store.
pub(super) fn load(tables: &Click, txn: &RoTxn<'_>) -> Tried<Purged> {
    let mut purged = Purged::default();
    for row in tables.at(ClickTable::Purged).from(txn, &[])? {
        let (key, _) = row?;
        let link = key.try_into().map(u64::from_be_bytes).map_err(|_| senseless("purged"))?;
        purged.insert(link);
        if stored::number(tables, txn, ClickTable::Purged, key)? != Some(DONE) {
            purged.unfinished.insert(link);
        }
    }
    Ok(purged)
}

/// Purges a link, for a bounded time.
pub(super) fn link(clicks: &Clicks, link: LinkId, workspace: WorkspaceId) -> Result<Trimmed> {
    {
        let mut state = clicks.state.lock();
        state.purged.insert(link.0);
        state.purged.unfinished.insert(link.0);
    }
    clicks.flush()?;
    let trimmed = clicks.write(move |tables, txn| {
        let key = link.0.to_be_bytes();
        let row = stored::totals(tables, txn, link.0)?.unwrap_or(Row::new(workspace.0));
        let mut purge = Purge { tables, txn, link: link.0, row, clicks: 0, work: 0 };
        let done = purge.run()?;
        let clicks = purge.clicks;
        let state = if done { DONE } else { UNFINISHED };
        stored::put_number(tables, txn, ClickTable::Purged, &key, state)?;
        Ok(Trimmed { clicks, more: !done })
    })?;
    if !trimmed.more {
        clicks.state.lock().purged.unfinished.remove(&link.0);
    }
    Ok(trimmed)
}

struct Purge<'p, 'x> {
    tables: &'p Click,
    txn: &'p mut RwTxn<'x>,
    link: u64,
    row: Row,
    clicks: u64,
    /// Blocks, events and buckets that were touched.
    work: usize,
}

impl Purge<'_, '_> {
    /// Whether all is gone.
    fn run(&mut self) -> Tried<bool> {
        let rolled = stored::rolled(self.tables, self.txn)?;
        if !self.hours(rolled)? || !self.events()? {
            return Ok(false);
        }
        if !events::forget_link(self.tables, self.txn, self.link, limits::TRIM)? {
            return Ok(false);
        }
        for day in rollup::day(self.row.low)..=rollup::day(self.row.high) {
            self.subtract(Grain::Day, day)?;
        }
        self.subtract(Grain::All, 0)?;
        self.totals()?;
        Ok(true)
    }

    fn owner(&self) -> (u64, u64) {
        (self.row.workspace, self.link)
    }

    /// Takes the clicks and buckets of hours away; whether that was all.
    fn hours(&mut self, rolled: Place) -> Tried<bool> {
        let mut hour = self.row.low;
        while hour <= self.row.high {
            if self.work >= limits::TRIM {
                return Ok(false);
            }
            if hour.rem_euclid(24) == 0
                && empty_day(self.tables, self.txn, rolled, hour, self.owner())?
            {
                hour += 24;
                continue;
            }
            self.hour(hour, rolled)?;
            hour += 1;
        }
        Ok(true)
    }

    fn hour(&mut self, hour: i64, rolled: Place) -> Tried<()> {
        let owner = self.owner();
        let Some(value) = stored::bucket(self.tables, self.txn, Grain::Hour, hour, owner)? else {
            return Ok(());
        };
        for number in bucket::head(value)?.1 {
            if let Some(run) = stored::run(self.tables, self.txn, hour, number)? {
                self.run_of_hour(run)?;
            }
        }
        let (workspace, link) = owner;
        let counts = self.subtract(Grain::Hour, hour)?;
        // The mark may stand between the workspace's bucket and the link's.
        let of = |link| Place { hour, workspace, link };
        if of(0) < rolled && of(link) >= rolled {
            for (grain, start) in [(Grain::Day, rollup::day(hour)), (Grain::All, 0)] {
                self.subtract_counts(grain, start, &counts)?;
            }
        }
        Ok(())
    }

    fn run_of_hour(&mut self, mut run: Run) -> Tried<()> {
        let prefix = Key::new().signed(run.hour).small(run.number).id(self.row.workspace);
        let blocks = search::link_blocks(self.tables, self.txn, prefix, self.link, |_| true)?;
        let keys: Vec<_> = blocks.into_iter().map(|(key, _)| key.to_vec()).collect();
        let link = self.link;
        for key in keys {
            let gone = rewrite(self.tables, self.txn, &key, run.hour, |click| click.link != link)?;
            self.clicks += gone;
            self.work += 1;
            run.clicks = run.clicks.saturating_sub(gone);
        }
        self.tables.at(ClickTable::Runs).put(self.txn, &run.key(), &run.encode(), false)
    }

    /// Takes a bucket away, and out of its workspace's: what it held.
    fn subtract(&mut self, grain: Grain, start: i64) -> Tried<Counts> {
        let (workspace, link) = self.owner();
        let key = tables::bucket(grain, start, workspace, link);
        let own = rollup::load(self.tables, self.txn, grain, start, (workspace, link))?.counts;
        if !own.is_empty() {
            self.subtract_counts(grain, start, &own)?;
            self.tables.at(ClickTable::Buckets).delete(self.txn, &key)?;
            self.work += 1;
        }
        Ok(own)
    }

    fn subtract_counts(&mut self, grain: Grain, start: i64, own: &Counts) -> Tried<()> {
        let workspace = (self.row.workspace, 0);
        let mut theirs = rollup::load(self.tables, self.txn, grain, start, workspace)?;
        theirs.counts.subtract(own, LinkId(self.link));
        rollup::save(self.tables, self.txn, grain, start, workspace, &theirs)
    }

    /// Takes reported clicks away; whether those were all.
    fn events(&mut self) -> Tried<bool> {
        let table = ClickTable::Events;
        let keys = events::keys(self.tables, self.txn, table, self.link, limits::TRIM)?;
        for key in &keys {
            events::remove_by_key(self.tables, self.txn, key, self.row.workspace)?;
            self.clicks += 1;
        }
        Ok(keys.len() < limits::TRIM)
    }

    fn totals(&mut self) -> Tried<()> {
        let key = tables::workspace_row(self.row.workspace);
        if let Some(mut theirs) = stored::totals(self.tables, self.txn, key)? {
            let own = &self.row;
            theirs.clicks = theirs.clicks.saturating_sub(own.clicks);
            theirs.bots = theirs.bots.saturating_sub(own.bots);
            theirs.spent = theirs.spent.saturating_sub(own.spent);
            theirs.conversions = theirs.conversions.saturating_sub(own.conversions);
            stored::put_totals(self.tables, self.txn, key, &theirs)?;
        }
        let key = self.link.to_be_bytes();
        self.tables.at(ClickTable::Totals).delete(self.txn, &key).map(drop)
    }
}
