//! The clicks half of the store: taking redirect clicks by the batch, recording events one by
//! one, and answering what statistics ask.
//!
//! A batch becomes records in memory ([`generation`]) and nothing else; a flush writes a whole
//! generation in key order in one transaction ([`flush`]), with the marks that keep retries from
//! counting twice. Readers see the store and the memory as one: they take their snapshot under
//! the lock that a flush takes to drop what it has written, and the number of the last flush,
//! which is in the snapshot, says whether a generation in memory is in it already. Events are
//! written at once, through the write thread's group commit ([`events`]).
//!
//! One process takes clicks; others may read what was flushed, trim and check.

mod block;
mod bucket;
mod bytes;
mod chains;
mod check;
mod count;
mod dictionary;
mod events;
mod facade;
mod flush;
mod fold;
mod generation;
mod limits;
mod memory;
mod merge;
mod pages;
mod purge;
mod purged;
mod raw;
mod rollup;
mod search;
mod sort;
mod stored;
pub(crate) mod tables;
mod tally;
#[cfg(test)]
mod tests;
mod transfer;
mod trim;

use std::{
    collections::BTreeMap,
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock},
};

use heed::{RoTxn, RwTxn};
use parking_lot::Mutex;
use waypost_agent::Cache;
use waypost_link::{ClickId, LinkId, Timestamp};
use waypost_storage::{
    Appended, Batch, Bucket, ClickQuery, ClickScope, ClickStore, Epoch, Error, Event, LinkCount,
    LinkCountQuery, Mark, Page, Recorded, Report, Result, Sink, StoredClick, TallyQuery, Totals,
    Trim, Trimmed, Window,
};

use self::{
    generation::Generation,
    purged::Purged,
    stored::{Click, FLUSH},
    tables::ClickTable,
};
use crate::{
    environment::Environment,
    fault::{Fault, Tried},
};

/// The clicks of a data directory.
pub(crate) struct Clicks {
    environment: Environment<ClickTable>,
    state: Mutex<State>,
    /// One flush at a time.
    flushing: Mutex<()>,
    most_clicks: usize,
}

/// What is in memory.
struct State {
    open: Generation,
    /// What is being written, or could not be and will be.
    frozen: Option<Arc<Generation>>,
    /// The number of the last flush that was begun.
    flush: u32,
    /// The last batch taken of each epoch.
    marks: BTreeMap<Epoch, u64>,
    purged: Purged,
    agents: Cache,
}

impl Clicks {
    /// Opens the clicks in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// As [`Environment::open`].
    pub(crate) fn open(dir: &Path, map_size: u64) -> Result<Self> {
        let environment = Environment::open(dir, map_size)?;
        let state = Mutex::new(environment.read(State::load)?);
        let most_clicks = limits::MEMORY_CLICKS;
        Ok(Self { environment, state, flushing: Mutex::new(()), most_clicks })
    }

    /// The environment, to be copied and pinged.
    pub(crate) fn environment(&self) -> &Environment<ClickTable> {
        &self.environment
    }

    /// Holds totals, buckets and raw clicks against each other, and adds to `report` what
    /// differs.
    ///
    /// # Errors
    /// `Unavailable`, `Corrupt` where it can't even be read.
    pub(crate) fn check(&self, report: &mut Report) -> Result<()> {
        self.environment.read(|tables, txn| check::check(tables, txn, report))
    }

    /// Answers from memory and store as one: `gather` looks at what is in memory and not in the
    /// snapshot that `answer` gets.
    fn view<M, R>(
        &self,
        gather: impl FnOnce(&[&Generation], &Purged) -> M,
        answer: impl FnOnce(M, &Click, &RoTxn<'_>) -> Tried<R>,
    ) -> Result<R> {
        let state = self.state.lock();
        self.environment.read(|tables, txn| {
            let flushed = stored::number(tables, txn, ClickTable::Meta, FLUSH)?.unwrap_or(0);
            let frozen = state.frozen.iter().filter(|frozen| u64::from(frozen.number) > flushed);
            let generations: Vec<_> = frozen.map(Arc::as_ref).chain([&state.open]).collect();
            let gathered = gather(&generations, &state.purged);
            drop(state);
            answer(gathered, tables, txn)
        })
    }

    /// Runs `job` in one durable commit. A job that fails has written nothing.
    fn write<R: Send + 'static>(
        &self,
        mut job: impl FnMut(&Click, &mut RwTxn<'_>) -> Tried<R> + Send + 'static,
    ) -> Result<R> {
        // A refusal halfway would leave what was written before it: break the transaction.
        let refused = Arc::new(OnceLock::new());
        let told = refused.clone();
        let outcome = self.environment.write(move |tables, txn| {
            job(tables, txn).map_err(|fault| match fault {
                Fault::Refused(error) => {
                    let _ = told.set(error);
                    Fault::Broken(heed::Error::Mdb(heed::MdbError::Corrupted))
                }
                broken => broken,
            })
        });
        outcome.map_err(|error| refused.get().cloned().unwrap_or(error))
    }

    /// The generation to write now, if there is one: that which failed before any other.
    fn freeze(&self) -> Option<Arc<Generation>> {
        let mut state = self.state.lock();
        if state.frozen.is_none() && !state.open.is_empty() {
            state.open.sort();
            let mut frozen = std::mem::take(&mut state.open);
            state.open.reuse(&mut frozen);
            state.flush += 1;
            frozen.number = state.flush;
            state.frozen = Some(Arc::new(frozen));
        }
        state.frozen.clone()
    }

    /// Forgets the generation that was written, but for its memory.
    fn drop_written(&self) {
        let mut state = self.state.lock();
        if let Some(written) = state.frozen.take().and_then(Arc::into_inner) {
            state.open.recycle(written);
        }
    }
}

impl State {
    fn load(tables: &Click, txn: &RoTxn<'_>) -> Tried<Self> {
        let flush = stored::number(tables, txn, ClickTable::Meta, FLUSH)?.unwrap_or(0);
        Ok(Self {
            open: Generation::default(),
            frozen: None,
            flush: u32::try_from(flush).unwrap_or(u32::MAX),
            marks: load_marks(tables, txn)?,
            purged: purge::load(tables, txn)?,
            agents: Cache::new(),
        })
    }

    fn takes(&self, batch: &Batch, most_clicks: usize) -> bool {
        let frozen = self.frozen.as_deref();
        let clicks = self.open.len() + frozen.map_or(0, Generation::len);
        let bytes =
            self.open.dictionary.bytes() + frozen.map_or(0, |frozen| frozen.dictionary.bytes());
        let full = clicks + batch.len() > most_clicks || bytes > limits::MEMORY_TEXTS;
        clicks == 0 || !full
    }
}

fn load_marks(tables: &Click, txn: &RoTxn<'_>) -> Tried<BTreeMap<Epoch, u64>> {
    let mut marks = BTreeMap::new();
    for row in tables.at(ClickTable::Marks).from(txn, &[])? {
        let (key, _) = row?;
        let sequence = stored::number(tables, txn, ClickTable::Marks, key)?.unwrap_or(0);
        let epoch = key.try_into().map_err(|_| bytes::senseless("marks"))?;
        marks.insert(Epoch(u128::from_be_bytes(epoch)), sequence);
    }
    Ok(marks)
}

impl Sink for Clicks {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        for _ in 0..2 {
            let mut guard = self.state.lock();
            let state = &mut *guard;
            if state.marks.get(&mark.epoch).is_some_and(|&last| mark.sequence <= last) {
                return Ok(Appended::Duplicate);
            }
            if state.takes(batch, self.most_clicks) {
                let taken = state.open.take(batch, &state.purged, &mut state.agents);
                let discarded = taken.map_err(|error| Error::Corrupt(error.to_string()))?;
                state.open.marks.insert(mark.epoch, mark.sequence);
                state.marks.insert(mark.epoch, mark.sequence);
                return Ok(Appended::Fresh { discarded });
            }
            drop(guard);
            self.flush()?;
        }
        Err(Error::Full("too many clicks wait to be flushed".into()))
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        let key = tables::epoch(epoch);
        let read = |tables: &Click, txn: &RoTxn<'_>| {
            Ok(stored::number(tables, txn, ClickTable::Marks, &key)?.unwrap_or(0))
        };
        self.environment.read(read)
    }

    fn flush(&self) -> Result<()> {
        let _one = self.flushing.lock();
        let last = self.state.lock().flush;
        while let Some(generation) = self.freeze() {
            let number = generation.number;
            self.write(move |tables, txn| flush::write(tables, txn, &generation))?;
            self.drop_written();
            // What failed before is written now; what came since goes in the same call, but not
            // what comes while it is written.
            if number > last {
                break;
            }
        }
        Ok(())
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.flush()?;
        self.write(move |tables, txn| {
            tables.at(ClickTable::Marks).delete(txn, &tables::epoch(epoch)).map(drop)
        })?;
        self.state.lock().marks.remove(&epoch);
        Ok(())
    }
}

impl ClickStore for Clicks {
    fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        events::record(self, events)
    }

    fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        pages::clicks(self, query)
    }

    fn click(&self, id: ClickId) -> Result<Option<StoredClick>> {
        raw::click(self, id)
    }

    fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>> {
        tally::totals(self, links)
    }

    fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>> {
        tally::tally(self, query)
    }

    fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window> {
        count::count(self, scope, &range)
    }

    fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>> {
        tally::link_counts(self, query)
    }

    fn trim(&self, trim: Trim) -> Result<Trimmed> {
        match trim {
            Trim::Before(time) => trim::before(self, time),
            Trim::Link(link, workspace) => purge::link(self, link, workspace),
        }
    }
}
