//! What many clicks add to roll-ups, in arrays: no map, no text and no allocation for a click.
//!
//! Texts become numbers, and clicks are sorted by link and time: those of a link and an hour stand
//! together, and are counted in arrays addressed by number.

use std::{collections::BTreeMap, ops::Range};

use hashbrown::HashMap;
use waypost_link::{LinkId, Timestamp, WorkspaceId};
use waypost_storage::{
    Counts, Dimension, Error, Grain, Share, Sketch,
    codec::{self, Fields, Put as _},
    limits::VALUES,
};

use super::{
    fold::{Extra, number},
    gather::{Hit, Sorted, Texts},
    rollups::Place,
};
use crate::fault::corrupt;

/// Dimensions that a click says something of; the last one, the link, is the workspace's alone.
const OWN: usize = Dimension::Link as usize;

/// Clicks of a value.
#[derive(Clone, Copy)]
struct Cell {
    dimension: u8,
    /// The place of the value among all texts in their order.
    value: u32,
    clicks: u64,
    bots: u64,
}

/// What an hour of a link is to be raised by; its ranges are of the arrays of [`Deltas`].
#[derive(Clone)]
pub(super) struct Delta {
    pub(super) link: LinkId,
    pub(super) workspace: WorkspaceId,
    /// The hour.
    pub(super) start: i64,
    pub(super) clicks: u64,
    pub(super) bots: u64,
    cells: Range<usize>,
    people: Range<usize>,
    robots: Range<usize>,
}

impl Delta {
    /// Where it is to be added.
    pub(super) fn place(&self) -> Place {
        (self.link.0 as i64, number(Grain::Hour), self.start)
    }
}

/// What is to be added.
pub(super) struct Deltas<'s> {
    texts: &'s Texts<'s>,
    cells: Vec<Cell>,
    hashes: Vec<u32>,
    /// Of links, by link and hour.
    pub(super) links: Vec<Delta>,
    pub(super) workspaces: BTreeMap<Place, Counts>,
    pub(super) extras: Vec<(LinkId, Extra)>,
}

impl<'s> Deltas<'s> {
    /// What these clicks add.
    pub(super) fn of(sorted: &'s Sorted<'_>) -> Self {
        let mut deltas = Self::with_room(sorted);
        let mut counter = Counter::default();
        for clicks in sorted.hits.chunk_by(|a, b| a.id.link == b.id.link) {
            deltas.link(clicks, &mut counter);
        }
        counter.workspaces.into_iter().for_each(|(place, own)| deltas.workspace(place, own));
        deltas
    }

    /// Room for what these clicks will come to: memory that grows is touched, and copied, twice.
    fn with_room(Sorted { hits, texts }: &'s Sorted<'_>) -> Self {
        let hours = hits.chunk_by(|a, b| a.id.link == b.id.link && a.hour() == b.hour()).count();
        Self {
            texts,
            cells: Vec::with_capacity(hours * OWN),
            hashes: Vec::with_capacity(hits.len()),
            links: Vec::with_capacity(hours),
            workspaces: BTreeMap::new(),
            extras: Vec::with_capacity(hours),
        }
    }

    /// All clicks of a link.
    fn link(&mut self, clicks: &[Hit], counter: &mut Counter) {
        for clicks in clicks.chunk_by(|a, b| a.hour() == b.hour()) {
            let hour = self.hour(clicks, counter);
            self.links.push(hour);
        }
        if let (Some(earliest), Some(latest)) = (clicks.first(), clicks.last()) {
            let spent = clicks.iter().filter(|hit| hit.spent).count() as u64;
            let (first, last) = (Some(earliest.id.received), Some(latest.id.received));
            let extra = Extra { workspace: earliest.workspace, spent, first, last };
            self.extras.push((earliest.id.link, extra));
        }
    }

    /// Clicks of a link in an hour, counted for its workspace too.
    fn hour(&mut self, clicks: &[Hit], counter: &mut Counter) -> Delta {
        let hit = clicks[0];
        let (cells, people) = (self.cells.len(), self.hashes.len());
        for hit in clicks {
            counter.cells.add(self.texts.values(hit), hit.bot);
        }
        counter.cells.drain(&mut self.cells);
        self.crowd(clicks, false);
        let robots = self.hashes.len();
        self.crowd(clicks, true);
        let bots = clicks.iter().filter(|hit| hit.bot).count() as u64;
        let own = counter.workspaces.entry((hit.workspace, hit.hour())).or_default();
        own.add(hit.id.link, clicks, bots, &self.cells[cells..]);
        Delta {
            link: hit.id.link,
            workspace: hit.workspace,
            start: hit.hour(),
            clicks: clicks.len() as u64,
            bots,
            cells: cells..self.cells.len(),
            people: people..robots,
            robots: robots..self.hashes.len(),
        }
    }

    /// Who clicked: people or bots.
    fn crowd(&mut self, clicks: &[Hit], bots: bool) {
        let hashes = clicks.iter().filter(|hit| hit.bot == bots).map(|hit| hit.visitor);
        self.hashes.extend(hashes);
    }

    /// What a workspace had in an hour, into all of its buckets.
    fn workspace(&mut self, (workspace, hour): (WorkspaceId, i64), own: Own) {
        let cells = in_order(own.cells);
        let mut counts = Counts { clicks: own.clicks, bots: own.bots, ..Counts::default() };
        counts.visitors.extend(&own.people);
        counts.robots.extend(&own.robots);
        counts.shares = self.shares(&cells);
        counts.shares[OWN] = most(own.links);
        counts.limit();
        for grain in [Grain::Hour, Grain::Day, Grain::All] {
            let start = grain.bucket(Timestamp(hour.saturating_mul(Timestamp::HOUR)));
            let place = (workspace.0 as i64, number(grain), start);
            self.workspaces.entry(place).or_default().merge(&counts);
        }
    }

    fn shares(&self, cells: &[Cell]) -> [Vec<Share>; Dimension::ALL.len()] {
        let mut shares: [Vec<Share>; Dimension::ALL.len()] = Default::default();
        for cell in cells {
            let value = self.texts.of(cell.value).to_owned();
            let share = Share { value, clicks: cell.clicks, bots: cell.bots };
            shares[usize::from(cell.dimension)].push(share);
        }
        shares
    }

    /// A delta as counts of its own, where the fast way doesn't go.
    pub(super) fn counts(&self, delta: &Delta) -> Counts {
        let mut counts = Counts { clicks: delta.clicks, bots: delta.bots, ..Counts::default() };
        counts.visitors.extend(&self.hashes[delta.people.clone()]);
        counts.robots.extend(&self.hashes[delta.robots.clone()]);
        counts.shares = self.shares(&self.cells[delta.cells.clone()]);
        counts
    }

    /// People and bots of the stored sketches `before` and of `delta`, appended to two buffers.
    pub(super) fn write_crowds(
        &self,
        delta: &Delta,
        before: Option<[&[u8]; 2]>,
        out: [&mut Vec<u8>; 2],
    ) -> Result<(), Error> {
        for (at, (range, out)) in [&delta.people, &delta.robots].into_iter().zip(out).enumerate() {
            let (before, new) = (before.map(|both| both[at]), &self.hashes[range.clone()]);
            write_crowd(before, new, out).ok_or_else(|| corrupt("buckets", "a sketch"))?;
        }
        Ok(())
    }

    /// The stored shares `before` and those of `delta`, appended to `out`; false, and nothing of
    /// use, where a dimension has more values than a bucket keeps.
    pub(super) fn write_shares(
        &self,
        delta: &Delta,
        before: Option<&[u8]>,
        out: &mut Vec<u8>,
    ) -> Result<bool, Error> {
        let broken = || corrupt("buckets", "the counts of a bucket");
        let before = before.map(|bytes| codec::unseal(bytes).ok_or_else(broken)).transpose()?;
        let mut stored = before.map(Fields);
        let mut rest = &self.cells[delta.cells.clone()];
        for dimension in Dimension::ALL {
            let own = rest.iter().take_while(|cell| cell.dimension == dimension as u8).count();
            let (cells, later) = rest.split_at(own);
            rest = later;
            let mut both = Both { texts: self.texts, stored: stored.as_mut(), cells };
            if both.write(out).ok_or_else(broken)? > VALUES {
                return Ok(false);
            }
        }
        let whole = stored.is_none_or(|fields| fields.0.is_empty());
        whole.then_some(true).ok_or_else(broken)
    }
}

/// Adds to a stored sketch, or begins one.
fn write_crowd(before: Option<&[u8]>, new: &[u32], out: &mut Vec<u8>) -> Option<()> {
    match before {
        Some(bytes) if new.is_empty() => out.extend_from_slice(bytes),
        _ => {
            let mut sketch = before.map_or(Some(Sketch::default()), Sketch::from_bytes)?;
            sketch.extend(new);
            sketch.write(out);
        }
    }
    Some(())
}

/// A dimension's stored shares and new cells, both in the order of their values.
struct Both<'d, 's> {
    texts: &'d Texts<'d>,
    stored: Option<&'d mut Fields<'s>>,
    cells: &'d [Cell],
}

impl<'s> Both<'_, 's> {
    /// Writes how many values there are, and each one's clicks; how many. `None` where what is
    /// stored makes no sense.
    fn write(&mut self, out: &mut Vec<u8>) -> Option<usize> {
        let mut left = self.stored.as_mut().map_or(Some(0), |fields| fields.uint())?;
        let (at, mut count) = (out.len(), 0);
        let mut next = self.read(&mut left)?;
        let mut cells = self.cells.iter().peekable();
        while next.is_some() || cells.peek().is_some() {
            let new = cells
                .next_if(|cell| next.is_none_or(|(value, ..)| self.texts.of(cell.value) <= value));
            let (mut clicks, mut bots) = new.map_or((0, 0), |cell| (cell.clicks, cell.bots));
            let value = new.map(|cell| self.texts.of(cell.value)).or(next.map(|known| known.0))?;
            if let Some((_, before, robots)) = next.filter(|known| known.0 == value) {
                (clicks, bots) = (clicks + before, bots + robots);
            }
            out.text(value);
            out.uint(clicks);
            out.uint(bots);
            count += 1;
            if next.is_some_and(|known| known.0 == value) {
                next = self.read(&mut left)?;
            }
        }
        put_count(out, at, count);
        Some(count)
    }

    /// The next stored share; the outer `Option` is the reader's.
    fn read(&mut self, left: &mut u64) -> Option<Option<(&'s str, u64, u64)>> {
        let Some(fields) = self.stored.as_mut().filter(|_| *left > 0) else { return Some(None) };
        *left -= 1;
        Some(Some((fields.str()?, fields.uint()?, fields.uint()?)))
    }
}

/// Puts a count before what was written from `at` on.
fn put_count(out: &mut Vec<u8>, at: usize, count: usize) {
    let end = out.len();
    out.uint(count as u64);
    let width = out.len() - end;
    out[at..].rotate_right(width);
}

/// The most clicked links, the rest as one.
fn most(mut links: Vec<(LinkId, u64, u64)>) -> Vec<Share> {
    let mut other = (0, 0);
    if links.len() > VALUES {
        links.select_nth_unstable_by_key(VALUES, |&(link, clicks, _)| (u64::MAX - clicks, link));
        other = links[VALUES..].iter().fold(other, |(c, b), link| (c + link.1, b + link.2));
        links.truncate(VALUES);
    }
    let share = |value, clicks, bots| Share { value, clicks, bots };
    let mut shares: Vec<_> =
        links.iter().map(|&(link, clicks, bots)| share(link.to_string(), clicks, bots)).collect();
    if other.0 > 0 {
        shares.push(share(Share::OTHER.to_owned(), other.0, other.1));
    }
    shares.sort_unstable_by(|a, b| a.value.cmp(&b.value));
    shares
}

/// Clicks and bots by value of each dimension; emptied by what was touched.
#[derive(Default)]
struct Cells {
    counts: [Vec<[u64; 2]>; OWN],
    touched: [Vec<u32>; OWN],
}

impl Cells {
    fn add(&mut self, values: [u32; OWN], bot: bool) {
        for (dimension, value) in values.into_iter().enumerate() {
            let (counts, at) = (&mut self.counts[dimension], value as usize);
            if at >= counts.len() {
                counts.resize((at + 1).next_power_of_two(), [0; 2]);
            }
            if counts[at][0] == 0 {
                self.touched[dimension].push(value);
            }
            counts[at] = [counts[at][0] + 1, counts[at][1] + u64::from(bot)];
        }
    }

    /// Appends what was counted, by dimension and value.
    fn drain(&mut self, to: &mut Vec<Cell>) {
        for (dimension, touched) in self.touched.iter_mut().enumerate() {
            touched.sort_unstable();
            for value in touched.drain(..) {
                let [clicks, bots] = std::mem::take(&mut self.counts[dimension][value as usize]);
                to.push(Cell { dimension: dimension as u8, value, clicks, bots });
            }
        }
    }
}

fn in_order(cells: HashMap<(u8, u32), [u64; 2]>) -> Vec<Cell> {
    let cell = |((dimension, value), [clicks, bots]): ((u8, u32), [u64; 2])| Cell {
        dimension,
        value,
        clicks,
        bots,
    };
    let mut cells: Vec<_> = cells.into_iter().map(cell).collect();
    cells.sort_unstable_by_key(|cell| (cell.dimension, cell.value));
    cells
}

/// What counting needs again and again, and what workspaces have.
#[derive(Default)]
struct Counter {
    cells: Cells,
    workspaces: BTreeMap<(WorkspaceId, i64), Own>,
}

/// A workspace's hour.
#[derive(Default)]
struct Own {
    clicks: u64,
    bots: u64,
    /// By dimension and value: as large as what was clicked, however many workspaces there are.
    cells: HashMap<(u8, u32), [u64; 2]>,
    people: Vec<u32>,
    robots: Vec<u32>,
    links: Vec<(LinkId, u64, u64)>,
}

impl Own {
    fn add(&mut self, link: LinkId, clicks: &[Hit], bots: u64, cells: &[Cell]) {
        self.clicks += clicks.len() as u64;
        self.bots += bots;
        self.links.push((link, clicks.len() as u64, bots));
        for cell in cells {
            let sums = self.cells.entry((cell.dimension, cell.value)).or_default();
            *sums = [sums[0] + cell.clicks, sums[1] + cell.bots];
        }
        for hit in clicks {
            if hit.bot { &mut self.robots } else { &mut self.people }.push(hit.visitor);
        }
    }
}

#[cfg(test)]
#[path = "deltas_tests.rs"]
mod tests;
