//! Totals, tallies and counts by link: stored buckets, and what is in memory on top.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, btree_map::Entry},
    iter::Peekable,
    ops::Range,
};

use hashbrown::HashSet;
use heed::{RoRange, RoTxn, types::Bytes};
use waypost_link::{LinkId, Timestamp};
use waypost_storage::{
    Bucket as Answer, Counts, Detail, Grain, LinkCount, LinkCountQuery, Page, Result, Scope,
    TallyQuery, Totals, page_limit,
};

use super::{
    Clicks,
    bucket::{self, Bucket},
    bytes::senseless,
    generation::{Asked, Generation, Place},
    limits,
    memory::{self, start},
    rollup::{self, day},
    stored::{self, Click, Row},
    tables::{self, ClickTable},
};
use crate::fault::Tried;

/// Every hour.
const ALL: Range<i64> = i64::MIN..i64::MAX;

/// The hours of these days.
const fn hours(days: Range<i64>) -> Range<i64> {
    days.start.saturating_mul(24)..days.end.saturating_mul(24)
}

/// Totals of `links`, in that order.
pub(super) fn totals(clicks: &Clicks, links: &[LinkId]) -> Result<Vec<Totals>> {
    let ids: HashSet<u64> = links.iter().map(|link| link.0).collect();
    clicks.view(
        |generations, purged| {
            let gone: HashSet<u64> =
                ids.iter().copied().filter(|&link| purged.contains(link)).collect();
            let asked = Asked { links: Some(&ids), workspace: None, hours: ALL };
            (memory::totals(generations, &asked), gone)
        },
        |(memory, gone), tables, txn| {
            let row = |link: &LinkId| {
                let mut row = stored::totals(tables, txn, link.0)?.unwrap_or(Row::new(0));
                if let Some(more) = memory.get(&link.0) {
                    row.add(more);
                }
                let row = if gone.contains(&link.0) { Row::new(0) } else { row };
                Ok(answer_totals(*link, &row))
            };
            links.iter().map(row).collect()
        },
    )
}

fn answer_totals(link: LinkId, row: &Row) -> Totals {
    Totals {
        link,
        clicks: row.clicks,
        bots: row.bots,
        spent: row.spent,
        conversions: row.conversions,
        first: (row.first <= row.last).then_some(Timestamp(row.first)),
        last: (row.first <= row.last).then_some(Timestamp(row.last)),
    }
}

/// The buckets of `query` that hold anything, oldest first.
pub(super) fn tally(clicks: &Clicks, query: &TallyQuery) -> Result<Vec<Answer>> {
    let range = if query.grain == Grain::All { (0, 1) } else { (query.from, query.to) };
    let hours = match query.grain {
        Grain::Hour => range.0..range.1,
        Grain::Day => hours(range.0..range.1),
        Grain::All => ALL,
    };
    clicks.view(
        |generations, purged| match &query.scope {
            Scope::Workspace(workspace) => {
                let asked = Asked { links: None, workspace: Some(workspace.0), hours };
                (in_memory(generations, query, &asked), vec![tables::workspace_row(workspace.0)])
            }
            Scope::Links(links) => {
                let links = links.iter().map(|link| link.0).filter(|&link| !purged.contains(link));
                let ids: HashSet<u64> = links.collect();
                let asked = Asked { links: Some(&ids), workspace: None, hours };
                let memory = in_memory(generations, query, &asked);
                (memory, ids.into_iter().collect())
            }
        },
        |(memory, owners), tables, txn| {
            let rolled = stored::rolled(tables, txn)?;
            let mut stored = Stored { tables, txn, rolled, query, range, merged: memory? };
            for owner in owners {
                if let Some(row) = stored::totals(tables, txn, owner)? {
                    let link = if owner >> 63 == 1 { 0 } else { owner };
                    stored.owner((row.workspace, link), &row)?;
                }
            }
            Ok(stored.answer())
        },
    )
}

fn in_memory(
    generations: &[&Generation],
    query: &TallyQuery,
    asked: &Asked<'_>,
) -> Tried<BTreeMap<i64, Counts>> {
    match query.detail {
        Detail::Sums => Ok(memory::sums(generations, query.grain, asked)),
        _ => memory::tally(generations, query.grain, asked),
    }
}

/// The stored part of a tally.
struct Stored<'s, 'x> {
    tables: &'s Click,
    txn: &'s RoTxn<'x>,
    rolled: Place,
    query: &'s TallyQuery,
    range: (i64, i64),
    merged: BTreeMap<i64, Counts>,
}

impl Stored<'_, '_> {
    fn owner(&mut self, owner: (u64, u64), row: &Row) -> Tried<()> {
        let grain = self.query.grain;
        // Only where its buckets can be.
        let from = self.range.0.max(start(grain, row.low));
        let to = self.range.1.min(start(grain, row.high).saturating_add(1));
        if grain == Grain::Hour {
            return self.hours(owner, from, to);
        }
        for start in from..to {
            self.bucket(grain, start, owner, start)?;
        }
        let hours = match grain {
            Grain::Day => (from.saturating_mul(24), to.saturating_mul(24)),
            _ => (row.low, row.high.saturating_add(1)),
        };
        for hour in rollup::open_hours(self.tables, self.txn, self.rolled, hours)? {
            if !self.is_rolled(hour, owner) {
                self.bucket(Grain::Hour, hour, owner, start(grain, hour))?;
            }
        }
        Ok(())
    }

    fn hours(&mut self, owner: (u64, u64), from: i64, to: i64) -> Tried<()> {
        let mut hour = from;
        while hour < to {
            if hour.rem_euclid(24) == 0
                && empty_day(self.tables, self.txn, self.rolled, hour, owner)?
            {
                hour += 24;
                continue;
            }
            self.bucket(Grain::Hour, hour, owner, hour)?;
            hour += 1;
        }
        Ok(())
    }

    fn is_rolled(&self, hour: i64, (workspace, link): (u64, u64)) -> bool {
        Place { hour, workspace, link } < self.rolled
    }

    /// Adds a stored bucket to the answer's bucket `into`.
    fn bucket(&mut self, grain: Grain, start: i64, owner: (u64, u64), into: i64) -> Tried<()> {
        if let Some(value) = stored::bucket(self.tables, self.txn, grain, start, owner)? {
            let Bucket { counts, .. } = Bucket::decode_to(value, self.query.detail)?;
            match self.merged.entry(into) {
                Entry::Vacant(free) => _ = free.insert(counts),
                Entry::Occupied(mut taken) => taken.get_mut().merge(&counts),
            }
        }
        Ok(())
    }

    fn answer(self) -> Vec<Answer> {
        let detail = self.query.detail;
        let bucket = |(start, mut counts): (i64, Counts)| {
            counts.limit();
            counts.cut(detail);
            Answer { start, counts }
        };
        self.merged.into_iter().map(bucket).filter(|bucket| !bucket.counts.is_empty()).collect()
    }
}

/// Whether the day that begins at `hour` is rolled up and holds nothing of this owner.
pub(super) fn empty_day(
    tables: &Click,
    txn: &RoTxn<'_>,
    rolled: Place,
    hour: i64,
    (workspace, link): (u64, u64),
) -> Tried<bool> {
    let last = Place { hour: hour.saturating_add(23), workspace, link };
    if last >= rolled {
        return Ok(false);
    }
    let day = stored::bucket(tables, txn, Grain::Day, day(hour), (workspace, link))?;
    Ok(day.is_none())
}

/// Links of a workspace and their clicks in a range of days, by link.
pub(super) fn link_counts(
    clicks: &Clicks,
    query: &LinkCountQuery,
) -> Result<Page<LinkCount, LinkId>> {
    let after = query.after.map_or(0, |link| link.0.saturating_add(1));
    let (page, unfinished) = clicks.view(
        |generations, purged| {
            let (workspace, hours) = (Some(query.workspace.0), hours(query.from..query.to));
            let asked = Asked { links: None, workspace, hours };
            let mut memory: Vec<_> = memory::totals(generations, &asked)
                .into_iter()
                .filter(|(link, _)| *link >= after)
                .map(|(link, row)| LinkCount {
                    link: LinkId(link),
                    clicks: row.clicks,
                    bots: row.bots,
                })
                .collect();
            memory.sort_unstable();
            (memory, purged.unfinished.clone())
        },
        |(memory, unfinished), tables, txn| {
            let mut merge = Merge { heap: BinaryHeap::new(), rows: Vec::new(), read: 0 };
            merge.open(tables, txn, query, after)?;
            Ok((merge.page(memory, page_limit(query.limit))?, unfinished))
        },
    )?;
    let items = page.items.into_iter().filter(|count| !unfinished.contains(&count.link.0));
    Ok(Page { items: items.collect(), next: page.next })
}

/// Buckets of many days, link by link.
struct Merge<'x> {
    /// The next link of each source.
    heap: BinaryHeap<Reverse<(u64, usize)>>,
    rows: Vec<Peekable<RoRange<'x, Bytes, Bytes>>>,
    read: usize,
}

impl<'x> Merge<'x> {
    fn open(
        &mut self,
        tables: &Click,
        txn: &'x RoTxn<'_>,
        query: &LinkCountQuery,
        after: u64,
    ) -> Tried<()> {
        let workspace = query.workspace.0;
        let row = stored::totals(tables, txn, tables::workspace_row(workspace))?;
        let Some(row) = row else { return Ok(()) };
        let rolled = stored::rolled(tables, txn)?;
        let (low, high) = (day(row.low), day(row.high).saturating_add(1));
        let (from, to) = (query.from.max(low), query.to.min(high));
        let whole = from == low && to == high;
        let starts = if whole { 0..1 } else { from..to };
        let grain = if whole { Grain::All } else { Grain::Day };
        let hours = (from.saturating_mul(24), to.saturating_mul(24));
        let hours = rollup::open_hours(tables, txn, rolled, hours)?;
        let sources = starts.map(|start| (grain, start));
        for (grain, start) in sources.chain(hours.into_iter().map(|hour| (Grain::Hour, hour))) {
            // The mark may stand amid an hour: what is before it is in its day.
            let rolled_to = (grain == Grain::Hour && rolled.hour == start).then_some(rolled);
            let first = match rolled_to {
                Some(rolled) if rolled.workspace > workspace => continue,
                Some(rolled) if rolled.workspace == workspace => rolled.link.max(after),
                _ => after,
            };
            let (first, last) = (
                tables::bucket(grain, start, workspace, first.max(1)),
                tables::bucket(grain, start, workspace, u64::MAX),
            );
            let table = tables.at(ClickTable::Buckets).scan();
            self.rows.push(table.range(txn, &tables::span(&first, &last))?.peekable());
            self.advance(self.rows.len() - 1)?;
        }
        Ok(())
    }

    /// Puts the next link of a source into the heap.
    fn advance(&mut self, source: usize) -> Tried<()> {
        let Some(rows) = self.rows.get_mut(source) else { return Ok(()) };
        if let Some(Ok((key, _))) = rows.peek() {
            let (_, place) = tables::read_bucket(key).ok_or_else(|| senseless("buckets"))?;
            self.heap.push(Reverse((place.link, source)));
        } else if let Some(failed) = rows.next() {
            failed?;
        }
        Ok(())
    }

    fn page(&mut self, memory: Vec<LinkCount>, limit: usize) -> Tried<Page<LinkCount, LinkId>> {
        let mut memory = memory.into_iter().peekable();
        let mut items: Vec<LinkCount> = Vec::new();
        loop {
            let stored = self.heap.peek().map(|Reverse((link, _))| *link);
            let waits = memory.peek().map(|count| count.link.0);
            let Some(link) = stored.into_iter().chain(waits).min() else {
                return Ok(Page { items, next: None });
            };
            if items.len() >= limit || self.read >= limits::SCAN && !items.is_empty() {
                let next = items.last().map(|count| count.link);
                return Ok(Page { items, next });
            }
            let waiting = memory.next_if(|count| count.link.0 == link);
            let count = self.take(
                waiting.unwrap_or(LinkCount { link: LinkId(link), ..LinkCount::default() }),
            )?;
            if count.clicks > 0 {
                items.push(count);
            }
        }
    }

    /// Adds to `count` what all sources have of its link.
    fn take(&mut self, mut count: LinkCount) -> Tried<LinkCount> {
        while let Some(&Reverse((next, source))) = self.heap.peek()
            && next == count.link.0
        {
            self.heap.pop();
            self.read += 1;
            if let Some(row) = self.rows.get_mut(source).and_then(Iterator::next) {
                let [clicks, bots, _] = bucket::head(row?.1)?.0;
                (count.clicks, count.bots) = (count.clicks + clicks, count.bots + bots);
            }
            self.advance(source)?;
        }
        Ok(count)
    }
}
