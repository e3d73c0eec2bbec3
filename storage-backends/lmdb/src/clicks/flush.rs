//! Writing a generation: blocks, buckets, totals and marks, in one transaction, in key order.
//!
//! The generation's segments are merged place by place. A link's clicks of an hour stand together
//! then: they go into a block, are counted once, and what was counted raises the link's stored
//! hour bucket, its totals, and the fold of its workspace, whose bucket follows when the last of
//! its links is through. Days and all time are left to [`rollup`], but for hours that are in them
//! already.

use heed::RwTxn;
use waypost_link::Timestamp;

use super::{
    block::Builder,
    bucket::{self, Bucket},
    fold::Fold,
    generation::{Generation, Place, Record},
    limits,
    merge::Merge,
    rollup, sort,
    stored::{self, Click, FLUSH, Row, Run},
    tables::{self, ClickTable, Key},
};
use crate::fault::Tried;

/// Writes `generation`; once, however often it is asked to.
pub(super) fn write(tables: &Click, txn: &mut RwTxn<'_>, generation: &Generation) -> Tried<()> {
    let number = u64::from(generation.number);
    if stored::number(tables, txn, ClickTable::Meta, FLUSH)?.unwrap_or(0) >= number {
        return Ok(());
    }
    let groups: usize = generation.segments.iter().map(|segment| segment.groups.len()).sum();
    let rolled = stored::rolled(tables, txn)?;
    let runs = Flush::new(tables, txn, generation, rolled).run()?;
    stored::put_runs_of(tables, txn, generation.number, runs)?;
    stored::put_texts(tables, txn, generation.number, &generation.dictionary)?;
    for (&epoch, &sequence) in &generation.marks {
        stored::put_number(tables, txn, ClickTable::Marks, &tables::epoch(epoch), sequence)?;
    }
    let heads = generation.segments.iter().filter_map(|segment| segment.groups.first());
    if let Some(hour) = heads.map(|group| group.place.hour).min() {
        rollup::roll(tables, txn, hour, groups.max(limits::ROLL))?;
    }
    stored::put_number(tables, txn, ClickTable::Meta, FLUSH, number)
}

/// Writes the raw clicks of `generation` alone: their buckets and totals have counted them.
pub(super) fn write_raw(tables: &Click, txn: &mut RwTxn<'_>, generation: &Generation) -> Tried<()> {
    let start = Place { hour: i64::MIN, workspace: 0, link: 0 };
    let flush = Flush { counts: false, ..Flush::new(tables, txn, generation, start) };
    let runs = flush.run()?;
    stored::put_runs_of(tables, txn, generation.number, runs)?;
    stored::put_texts(tables, txn, generation.number, &generation.dictionary)?;
    stored::put_number(tables, txn, ClickTable::Meta, FLUSH, u64::from(generation.number))
}

struct Flush<'f, 'x> {
    tables: &'f Click,
    txn: &'f mut RwTxn<'x>,
    generation: &'f Generation,
    /// Where hours are rolled up already.
    rolled: Place,
    /// The clicks of the place at hand.
    records: Vec<Record>,
    link: Fold,
    workspace: Fold,
    builder: Builder,
    /// Blocks of the run so far: tells those apart that begin with the same click.
    blocks: u32,
    /// A bucket's bytes.
    value: Vec<u8>,
    /// Whether buckets and totals have still to be raised.
    counts: bool,
}

impl<'f, 'x> Flush<'f, 'x> {
    fn new(
        tables: &'f Click,
        txn: &'f mut RwTxn<'x>,
        generation: &'f Generation,
        rolled: Place,
    ) -> Self {
        Self {
            tables,
            txn,
            generation,
            rolled,
            records: Vec::new(),
            link: Fold::default(),
            workspace: Fold::default(),
            builder: Builder::default(),
            blocks: 0,
            value: Vec::new(),
            counts: true,
        }
    }

    /// Writes all places; how many runs that were.
    fn run(mut self) -> Tried<u64> {
        let mut runs = 0;
        let mut run: Option<Run> = None;
        let mut before: Option<Place> = None;
        let mut merge = Merge::new(&self.generation.segments);
        while let Some(place) = merge.next(&mut self.records) {
            sort::by_time(&mut self.records);
            if let Some(before) = before
                && (before.hour, before.workspace) != (place.hour, place.workspace)
            {
                self.end_workspace(before)?;
            }
            if run.is_none_or(|run| run.hour != place.hour) {
                self.end_run(run)?;
                runs += 1;
            }
            let run = run_of(&mut run, place.hour, self.generation.number);
            run.first = run.first.min(self.records.first().map_or(i64::MAX, |first| first.at));
            run.last = run.last.max(self.records.last().map_or(i64::MIN, |last| last.at));
            run.clicks += self.records.len() as u64;
            self.put_clicks(place)?;
            self.count(place)?;
            before = Some(place);
        }
        if let Some(before) = before {
            self.end_workspace(before)?;
        }
        self.end_run(run)?;
        Ok(runs)
    }

    fn put_clicks(&mut self, place: Place) -> Tried<()> {
        let Self { tables, txn, generation, builder, blocks, records, .. } = self;
        builder.add(place.link, records, generation, |first, value| {
            put_block(tables, txn, (place, generation.number, first, blocks), value)
        })
    }

    fn count(&mut self, place: Place) -> Tried<()> {
        if !self.counts {
            return rollup::name_run(self.tables, self.txn, place, self.generation.number);
        }
        self.link.count(&self.records);
        self.link.close();
        self.workspace.absorb(&self.link, place.link);
        let more = row(&self.link, place);
        stored::add_totals(self.tables, self.txn, place.link, &more)?;
        let run = Some(self.generation.number);
        let Self { tables, txn, generation, link, value, rolled, .. } = self;
        raise(tables, txn, (generation, *rolled), place, link, run, value)
    }

    fn end_workspace(&mut self, last: Place) -> Tried<()> {
        let place = Place { link: 0, ..last };
        let Self { tables, txn, generation, workspace, value, rolled, builder, blocks, .. } = self;
        builder.close(&mut |first, value| {
            put_block(tables, txn, (last, generation.number, first, blocks), value)
        })?;
        if !self.counts {
            return Ok(());
        }
        let more = row(workspace, place);
        stored::add_totals(tables, txn, tables::workspace_row(place.workspace), &more)?;
        raise(tables, txn, (generation, *rolled), place, workspace, None, value)
    }

    fn end_run(&mut self, run: Option<Run>) -> Tried<()> {
        self.blocks = 0;
        match run {
            Some(run) => {
                self.tables.at(ClickTable::Runs).put(self.txn, &run.key(), &run.encode(), false)
            }
            None => Ok(()),
        }
    }
}

/// The run of this hour: the one at hand, or a new one.
fn run_of(run: &mut Option<Run>, hour: i64, number: u32) -> &mut Run {
    let new = Run { hour, number, first: i64::MAX, last: i64::MIN, clicks: 0 };
    match run {
        Some(run) if run.hour == hour => {}
        _ => *run = Some(new),
    }
    run.get_or_insert(new)
}

fn put_block(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    (place, run, (link, at), blocks): (Place, u32, (u64, i64), &mut u32),
    value: &[u8],
) -> Tried<()> {
    let key = Key::new().signed(place.hour).small(run).id(place.workspace);
    let key = key.id(link).signed(at).small(*blocks);
    *blocks += 1;
    tables.at(ClickTable::Blocks).put(txn, &key, value, false)
}

/// What a fold adds to the totals.
fn row(fold: &Fold, place: Place) -> Row {
    Row {
        clicks: fold.clicks,
        bots: fold.bots,
        spent: fold.spent,
        first: fold.first,
        last: fold.last,
        low: place.hour,
        high: place.hour,
        ..Row::new(place.workspace)
    }
}

/// Adds a fold to the hour bucket of its place, and to those of day and all time where that hour
/// is in them. Leaves the fold empty.
fn raise(
    tables: &Click,
    txn: &mut RwTxn<'_>,
    (generation, rolled): (&Generation, Place),
    place: Place,
    fold: &mut Fold,
    run: Option<u32>,
    value: &mut Vec<u8>,
) -> Tried<()> {
    value.clear();
    let words = &generation.dictionary;
    if place < rolled {
        bucket::raise(None, fold, words, run, value)?;
        rollup::add(tables, txn, rolled, place, &Bucket::decode(value)?)?;
    } else {
        let key = tables::hour_bucket(&place);
        let old = tables.at(ClickTable::Buckets).get(txn, &key)?;
        bucket::raise(old, fold, words, run, value)?;
        tables.at(ClickTable::Buckets).put(txn, &key, value, false)?;
    }
    fold.reset();
    Ok(())
}

/// The hour that `at` falls into.
pub(super) fn hour(at: i64) -> i64 {
    Timestamp(at).hour()
}
