//! Holds the clicks against themselves: totals = Σ all time and hours to come = Σ days = Σ hours,
//! = raw clicks where all are kept; a workspace's = Σ its links'.
//!
//! Links are looked at in turns of a bounded number, each a pass over the tables, so that the
//! memory this takes doesn't grow with the store.

use std::collections::{BTreeMap, BTreeSet};

use heed::RoTxn;
use waypost_storage::{Counts, Finding, Grain, Report, limits::FINDINGS};

use super::{
    block,
    bucket::Bucket,
    bytes::senseless,
    events, limits, purge,
    stored::{self, Click, Row, Run, TRIMMED},
    tables::{self, ClickTable, Parts},
};
use crate::{
    fault::{Fault, Tried},
    tables::Schema,
};

/// Clicks, bots, conversions.
type Sums = [u64; 3];

/// What is found of one owner: a link, or a workspace's row.
#[derive(Default)]
struct Found {
    totals: Sums,
    /// By grain; hours that are not rolled up count for days and all time too.
    grains: [Sums; 3],
    raw: u64,
}

/// Checks the environment, and adds to `report`.
pub(super) fn check(tables: &Click, txn: &RoTxn<'_>, report: &mut Report) -> Tried<()> {
    let pending = purge::load(tables, txn)?.unfinished;
    report.purges_pending += pending.len() as u64;
    let mut check = Check { tables, txn, report, pending, range: (0, 0), found: BTreeMap::new() };
    check.workspaces()?;
    let mut from = 0;
    loop {
        let to = check.turn(from)?;
        check.range = (from, to);
        check.found.clear();
        check.totals()?;
        check.buckets()?;
        check.raw()?;
        check.compare();
        let Some(next) = to.checked_add(1) else { break };
        from = next;
    }
    Ok(())
}

struct Check<'c, 'x> {
    tables: &'c Click,
    txn: &'x RoTxn<'x>,
    report: &'c mut Report,
    /// Links whose purge is under way: they, and workspaces, may differ.
    pending: BTreeSet<u64>,
    /// Owners of this turn, both included.
    range: (u64, u64),
    found: BTreeMap<u64, Found>,
}

impl Check<'_, '_> {
    fn says(&mut self, table: ClickTable, what: String) {
        if self.report.findings.len() < FINDINGS {
            self.report.findings.push(Finding { place: table.name().into(), what });
        }
    }

    /// What `read` says, or a finding where it is corrupt.
    fn readable<T>(&mut self, table: ClickTable, read: Tried<T>) -> Tried<Option<T>> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(Fault::Refused(error)) => {
                self.says(table, error.to_string());
                Ok(None)
            }
            Err(broken) => Err(broken),
        }
    }

    /// The last owner of the turn that begins at `from`.
    fn turn(&self, from: u64) -> Tried<u64> {
        let mut rows = self.tables.at(ClickTable::Totals).from(self.txn, &from.to_be_bytes())?;
        let last = rows.nth(limits::CHECK_LINKS).transpose()?;
        let link = last.and_then(|(key, _)| Parts::of(key).id());
        Ok(link.unwrap_or(u64::MAX))
    }

    fn of(&mut self, owner: u64) -> Option<&mut Found> {
        let (from, to) = self.range;
        (from..=to).contains(&owner).then(|| self.found.entry(owner).or_default())
    }

    /// Each workspace's totals against those of its links.
    fn workspaces(&mut self) -> Tried<()> {
        let mut sums = BTreeMap::<u64, (Sums, Sums)>::new();
        for row in self.tables.at(ClickTable::Totals).from(self.txn, &[])? {
            let (key, _) = row?;
            let owner = Parts::of(key).id().ok_or_else(|| senseless("totals"))?;
            let row = stored::totals(self.tables, self.txn, owner);
            let Some(Some(row)) = self.readable(ClickTable::Totals, row)? else { continue };
            let (own, links) = sums.entry(row.workspace).or_default();
            add(if owner >> 63 == 1 { own } else { links }, sums_of(&row));
        }
        for (workspace, (own, links)) in sums {
            if own != links {
                let what = format!("workspace {workspace}: {own:?}, but its links have {links:?}");
                self.says(ClickTable::Totals, what);
            }
        }
        Ok(())
    }

    fn totals(&mut self) -> Tried<()> {
        let (from, to) = self.range;
        for row in self.tables.at(ClickTable::Totals).from(self.txn, &from.to_be_bytes())? {
            let (key, _) = row?;
            let owner = Parts::of(key).id().filter(|owner| *owner <= to);
            let Some(owner) = owner else { break };
            let row = stored::totals(self.tables, self.txn, owner);
            if let (Ok(Some(row)), Some(found)) = (row, self.of(owner)) {
                found.totals = sums_of(&row);
            }
        }
        Ok(())
    }

    fn buckets(&mut self) -> Tried<()> {
        let rolled = stored::rolled(self.tables, self.txn)?;
        let first = self.range.0 == 0;
        for row in self.tables.at(ClickTable::Buckets).from(self.txn, &[])? {
            let (key, value) = row?;
            let (grain, place) = tables::read_bucket(key).ok_or_else(|| senseless("buckets"))?;
            let owner =
                if place.link == 0 { tables::workspace_row(place.workspace) } else { place.link };
            if !(self.range.0..=self.range.1).contains(&owner) && !first {
                continue;
            }
            let Some(bucket) = self.readable(ClickTable::Buckets, Bucket::decode(value))? else {
                continue;
            };
            if first && let Some(what) = wrong_shares(&bucket.counts) {
                self.says(ClickTable::Buckets, format!("{grain} {place:?}: {what}"));
            }
            let counts = &bucket.counts;
            let more = [counts.clicks, counts.bots, counts.conversions];
            let Some(found) = self.of(owner) else { continue };
            let open = grain == Grain::Hour as u8 && place >= rolled;
            for (at, sums) in found.grains.iter_mut().enumerate() {
                if open || at == usize::from(grain) {
                    add(sums, more);
                }
            }
        }
        Ok(())
    }

    /// Counts raw clicks, by link and by workspace.
    fn raw(&mut self) -> Tried<()> {
        let first = self.range.0 == 0;
        let mut runs = BTreeMap::<(i64, u32), u64>::new();
        for row in self.tables.at(ClickTable::Blocks).from(self.txn, &[])? {
            let (key, value) = row?;
            let mut parts = Parts::of(key);
            let read = (|| Some((parts.signed()?, parts.small()?, parts.id()?)))();
            let (hour, run, workspace) = read.ok_or_else(|| senseless("blocks"))?;
            let Some(groups) = self.readable(ClickTable::Blocks, block::groups(value))? else {
                continue;
            };
            for group in groups {
                let clicks = group.clicks(hour).map(|clicks| clicks.len() as u64);
                let Some(clicks) = self.readable(ClickTable::Blocks, clicks)? else { continue };
                *runs.entry((hour, run)).or_default() += clicks;
                self.count_raw(workspace, group.link, clicks, first);
            }
        }
        for row in self.tables.at(ClickTable::Workspaces).from(self.txn, &[])? {
            let (key, _) = row?;
            let read = events::read_key(key, true).ok_or_else(|| senseless("workspaces"))?;
            self.count_raw(read.0, read.1.link, 1, first);
        }
        if first { self.runs(runs) } else { Ok(()) }
    }

    fn count_raw(&mut self, workspace: u64, link: u64, clicks: u64, first: bool) {
        for owner in [link, tables::workspace_row(workspace)] {
            if let Some(found) = self.of(owner) {
                found.raw += clicks;
            }
        }
        if first {
            self.report.clicks += clicks;
        }
    }

    fn runs(&mut self, mut blocks: BTreeMap<(i64, u32), u64>) -> Tried<()> {
        for row in self.tables.at(ClickTable::Runs).from(self.txn, &[])? {
            let (key, value) = row?;
            let read = Run::decode(key, value);
            let Some(run) = self.readable(ClickTable::Runs, read)? else { continue };
            let found = blocks.remove(&(run.hour, run.number)).unwrap_or(0);
            if found != run.clicks {
                let what = format!("{run:?}, but its blocks have {found} clicks");
                self.says(ClickTable::Runs, what);
            }
        }
        for (run, clicks) in blocks {
            self.says(ClickTable::Blocks, format!("{clicks} clicks of no run {run:?}"));
        }
        Ok(())
    }

    fn compare(&mut self) {
        let trimmed = stored::number(self.tables, self.txn, ClickTable::Meta, TRIMMED);
        let all_kept = trimmed.is_ok_and(|trimmed| trimmed.is_none());
        for (owner, found) in std::mem::take(&mut self.found) {
            if self.pending.contains(&owner) || owner >> 63 == 1 && !self.pending.is_empty() {
                continue;
            }
            let who = if owner >> 63 == 1 { "workspace" } else { "link" };
            let id = owner & !(1 << 63);
            for (grain, sums) in ["hours", "days", "all time"].into_iter().zip(found.grains) {
                if sums != found.totals {
                    let totals = found.totals;
                    let what =
                        format!("{who} {id}: {grain} sum to {sums:?}, totals are {totals:?}");
                    self.says(ClickTable::Buckets, what);
                }
            }
            if all_kept && found.raw != found.totals[0] {
                let (raw, clicks) = (found.raw, found.totals[0]);
                let what = format!("{who} {id}: {raw} raw clicks, totals say {clicks}");
                self.says(ClickTable::Blocks, what);
            }
        }
    }
}

fn sums_of(row: &Row) -> Sums {
    [row.clicks, row.bots, row.conversions]
}

fn add(sums: &mut Sums, more: Sums) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// A dimension that doesn't sum to the clicks.
fn wrong_shares(counts: &Counts) -> Option<String> {
    counts.shares.iter().enumerate().filter(|(_, shares)| !shares.is_empty()).find_map(
        |(at, shares)| {
            let sum: u64 = shares.iter().map(|share| share.clicks).sum();
            let clicks = counts.clicks;
            (sum != clicks).then(|| format!("dimension {at} sums to {sum}, of {clicks} clicks"))
        },
    )
}
