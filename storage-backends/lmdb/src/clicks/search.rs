//! Looking through the store for raw clicks, an hour at a time: runs whose times can matter, of
//! those the blocks that can, and events.

use std::{collections::BTreeSet, ops::Bound};

use heed::RoTxn;
use waypost_link::{ClickId, Timestamp};
use waypost_storage::Grain;

use super::{
    block, bucket, events,
    raw::{Best, Found, Gather, Position, Source, Wanted, exactly},
    stored::{self, Click, Run},
    tables::{self, ClickTable, Key},
};
use crate::fault::Tried;

/// Ranks of events: after those of runs, which begin with the run's number.
const EVENTS: u64 = 1 << 62;

/// Looks through the store's clicks of one hour, whose bucket's `runs` a link's are in.
pub(super) struct Hour<'h, 'x> {
    pub(super) tables: &'h Click,
    pub(super) txn: &'x RoTxn<'x>,
    pub(super) hour: i64,
    pub(super) wanted: &'h Wanted,
    /// Links that are being purged.
    pub(super) gone: &'h BTreeSet<u64>,
}

impl<'x> Hour<'_, 'x> {
    /// Everything of the hour that can be among the first.
    pub(super) fn search(&self, runs: &[u32], best: &mut impl Gather<Source<'x>>) -> Tried<()> {
        self.events(best)?;
        let mut runs = match self.wanted.link {
            0 => self.all_runs()?,
            _ => self.those_runs(runs)?,
        };
        if self.wanted.descending {
            runs.sort_unstable_by_key(|run| std::cmp::Reverse(run.last));
        } else {
            runs.sort_unstable_by_key(|run| run.first);
        }
        for run in runs {
            let (first, last) = (self.wanted.first.clicked, self.wanted.last.clicked);
            if run.last < first || run.first > last {
                continue;
            }
            let past =
                |bound| if self.wanted.descending { run.last < bound } else { run.first > bound };
            if best.bound().is_some_and(past) {
                break;
            }
            match self.wanted.link {
                0 => self.workspace_blocks(&run, best)?,
                link => self.link_blocks(&run, link, best)?,
            }
        }
        Ok(())
    }

    fn all_runs(&self) -> Tried<Vec<Run>> {
        let (first, last) = (tables::run(self.hour, 0), tables::run(self.hour, u32::MAX));
        let table = self.tables.at(ClickTable::Runs).scan();
        let rows = table.range(self.txn, &tables::span(&first, &last))?;
        rows.map(|row| row.map_err(Into::into).and_then(|(key, value)| Run::decode(key, value)))
            .collect()
    }

    fn those_runs(&self, runs: &[u32]) -> Tried<Vec<Run>> {
        let run = |&run: &u32| stored::run(self.tables, self.txn, self.hour, run).transpose();
        runs.iter().filter_map(run).collect()
    }

    fn workspace_blocks(&self, run: &Run, best: &mut impl Gather<Source<'x>>) -> Tried<()> {
        let prefix = self.prefix(run);
        let table = self.tables.at(ClickTable::Blocks).scan();
        let mut seen = 0;
        for row in table.prefix_iter(self.txn, &prefix)? {
            for group in block::groups(row?.1)? {
                if !self.gone.contains(&group.link) {
                    self.group(run, &group, seen, best)?;
                }
                seen += u64::from(group.clicks);
            }
        }
        Ok(())
    }

    /// Blocks of one link: those it begins, or the one before.
    fn link_blocks(&self, run: &Run, link: u64, best: &mut impl Gather<Source<'x>>) -> Tried<()> {
        let blocks = link_blocks(self.tables, self.txn, self.prefix(run), link, |key| {
            // A block that begins after the last wanted time has nothing.
            block_time(key, link).is_some_and(|at| at <= self.wanted.last.clicked)
        })?;
        let mut counted = Vec::with_capacity(blocks.len());
        let mut seen = 0;
        for (key, value) in blocks {
            counted.push((key, value, seen));
            seen += BLOCK_RANKS;
        }
        if self.wanted.descending {
            counted.reverse();
        }
        // Blocks of a run don't overlap: all clicks before a block are older than its first.
        let mut edge = None;
        for (key, value, seen) in counted {
            let at = block_time(key, link);
            let past = |bound| match self.wanted.descending {
                true => edge.is_some_and(|edge| edge < bound),
                false => at.is_some_and(|at| at > bound),
            };
            if best.bound().is_some_and(past) {
                break;
            }
            edge = at;
            for group in block::groups(value)?.iter().filter(|group| group.link == link) {
                self.group(run, group, seen, best)?;
            }
        }
        Ok(())
    }

    fn group(
        &self,
        run: &Run,
        group: &block::Group<'x>,
        seen: u64,
        best: &mut impl Gather<Source<'x>>,
    ) -> Tried<()> {
        for (at, raw) in group.clicks(self.hour)?.into_iter().enumerate() {
            let position = Position::of_redirect(raw.at, raw.link, raw.salt);
            if self.wanted.holds(&position) {
                let rank = (u64::from(run.number) << 30) + seen + at as u64;
                let source =
                    Source::Block { run: run.number, workspace: self.wanted.workspace, raw };
                best.push(Found { position, rank, source })?;
            }
        }
        Ok(())
    }

    fn events(&self, best: &mut impl Gather<Source<'x>>) -> Tried<()> {
        let start = self.hour.saturating_mul(Timestamp::HOUR);
        let end = start.saturating_add(Timestamp::HOUR - 1);
        let (first, last) =
            (self.wanted.first.clicked.max(start), self.wanted.last.clicked.min(end));
        let mut taken = 0;
        for found in events::between(self.tables, self.txn, self.wanted, first, last)? {
            let mut found = found?;
            if self.gone.contains(&found.position.link) || !self.wanted.holds(&found.position) {
                continue;
            }
            found.rank += EVENTS;
            best.push(found)?;
            taken += 1;
            if taken >= self.wanted.enough {
                break;
            }
        }
        Ok(())
    }

    fn prefix(&self, run: &Run) -> Key {
        Key::new().signed(self.hour).small(run.number).id(self.wanted.workspace)
    }
}

/// Ranks of a block: more than it can have clicks.
const BLOCK_RANKS: u64 = 1 << 12;

/// The time of the first click of a block that begins with `link`.
fn block_time(key: &[u8], link: u64) -> Option<i64> {
    let mut parts = tables::Parts::of(key.get(20..)?);
    if parts.id()? == link { parts.signed() } else { None }
}

/// The blocks with clicks of `link` under `prefix` (hour, run and workspace), in the order of
/// time, up to the first that is not `wanted`.
pub(super) fn link_blocks<'x>(
    tables: &Click,
    txn: &'x RoTxn<'_>,
    prefix: Key,
    link: u64,
    wanted: impl Fn(&[u8]) -> bool,
) -> Tried<Vec<(&'x [u8], &'x [u8])>> {
    let table = tables.at(ClickTable::Blocks).scan();
    let own = prefix.id(link);
    let mut blocks = Vec::new();
    for row in table.prefix_iter(txn, &own)? {
        let row = row?;
        if !wanted(row.0) {
            return Ok(blocks);
        }
        blocks.push(row);
    }
    if blocks.is_empty() {
        let before = (Bound::Unbounded, Bound::Excluded(&own[..]));
        let row = table.rev_range(txn, &before)?.next().transpose()?;
        blocks.extend(row.filter(|(key, _)| key.starts_with(&prefix)));
    }
    Ok(blocks)
}

/// The click of this id in the store: a redirect's, or an event.
pub(super) fn stored_click<'x>(
    tables: &Click,
    txn: &'x RoTxn<'x>,
    id: ClickId,
) -> Tried<Option<Found<Source<'x>>>> {
    let hour = id.received.hour();
    let row = stored::totals(tables, txn, id.link.0)?;
    let wanted = Wanted { workspace: row.map_or(0, |row| row.workspace), ..exactly(id) };
    let owner = (wanted.workspace, wanted.link);
    if let Some(value) = stored::bucket(tables, txn, Grain::Hour, hour, owner)? {
        let gone = BTreeSet::new();
        let search = Hour { tables, txn, hour, wanted: &wanted, gone: &gone };
        let mut best = Best::new(&wanted);
        search.search(&bucket::head(value)?.1, &mut best)?;
        if let Some(found) = best.into_sorted().into_iter().next() {
            return Ok(Some(found));
        }
    }
    // An event may have been clicked in another hour than it was received in.
    events::by_id(tables, txn, id)
}
