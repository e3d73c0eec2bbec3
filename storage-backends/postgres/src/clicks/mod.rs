//! Clicks: batches wait in memory for a moment and go into the database many at a time, each once.
//!
//! A batch is taken into memory and written within [`limits::WAIT`](crate::limits::WAIT), or
//! before anybody reads: statistics of this node see it at once, those of others a moment later.
//! In a flood it waits for longer, and where too much waits, reads show what is written.
//! One transaction copies the raw clicks, adds to the roll-ups and moves the batches' marks, so a
//! transaction whose fate is not known is simply done again: the marks say what it did. Of many
//! clicks there is one for each lane, at the same time ([`lane`]).
//!
//! The clicks of a link are counted into its open hour, which goes into its buckets later ([`close`]).
//! Roll-ups have a row per *slot*. A transaction takes a free slot by an advisory lock, adds to
//! that slot's rows, and lets it go with its end: no two ever wait for the same row, and there are
//! as many slots as there were ever writers at the same moment, however often nodes restart.

mod close;
mod columns;
mod copy;
mod counts;
mod deltas;
mod events;
mod flush;
mod fold;
mod gather;
mod inbox;
mod lane;
mod pages;
mod partitions;
mod rollups;
mod slot;
mod tallies;
mod transfer;
mod trim;

use std::{
    collections::{BTreeMap, HashSet},
    ops::Range,
    sync::Arc,
    time::Instant,
};

use parking_lot::Mutex;
use waypost_link::{ClickId, LinkId, Timestamp};
use waypost_storage::{
    Appended, Batch, Bucket, ClickQuery, ClickScope, Epoch, Error, Event, Inserted, LinkCount,
    LinkCountQuery, Mark, NewClick, Pace, Page, Recorded, Result, StoredClick, TallyQuery, Totals,
    Trim, Trimmed, Window,
};

use crate::{database::Database, limits};

/// The clicks of a database, and what waits to be written to it.
pub(crate) struct Clicks {
    database: Arc<Database>,
    waiting: Mutex<Waiting>,
    /// One flush at a time.
    flushing: Mutex<Flushing>,
    partitions: partitions::Partitions,
}

/// What flushes leave to those after them.
#[derive(Default)]
struct Flushing {
    /// When and how the last one failed.
    failed: Option<(Instant, Error)>,
    memory: flush::Memories,
}

/// How much of what waits is to be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    /// As much as a transaction takes.
    Transaction,
    All,
}

/// A batch that was taken.
struct Taken {
    mark: Mark,
    batch: Batch,
    at: Instant,
}

/// What was taken and not yet written.
#[derive(Default)]
struct Waiting {
    batches: Vec<Arc<Taken>>,
    /// How many batches were ever taken.
    taken: u64,
    clicks: usize,
    bytes: usize,
    pace: Pace,
    /// The last sequences of the epochs that this node has heard of.
    known: BTreeMap<Epoch, Known>,
    /// Links whose clicks are discarded; `None` until it was read. What other nodes purge later
    /// isn't in here: only the write sees that, so [`Appended`] may count too few as discarded.
    purged: Option<HashSet<LinkId>>,
}

impl Waiting {
    /// Whether something is to be written before `batch` may wait. One that is too large waits alone.
    fn needs_room(&self, batch: &Batch) -> bool {
        let too_many = self.clicks + batch.len() > limits::WAITING;
        let too_large = self.bytes + batch.bytes().len() > limits::WAITING_BYTES;
        (too_many || too_large) && !self.batches.is_empty()
    }

    fn push(&mut self, mark: Mark, batch: Batch) {
        self.clicks += batch.len();
        self.bytes += batch.bytes().len();
        self.taken += 1;
        let at = Instant::now();
        self.pace.add(batch.len() as u64, at);
        self.batches.push(Arc::new(Taken { mark, batch, at }));
    }

    /// The oldest of those that were here when `taken` had been taken: as many as a transaction takes.
    fn first(&self, taken: u64) -> Vec<Arc<Taken>> {
        let most = taken.saturating_sub(self.taken - self.batches.len() as u64) as usize;
        let (mut clicks, mut bytes) = (0, 0);
        let fits = |taken: &&Arc<Taken>| {
            clicks += taken.batch.len();
            bytes += taken.batch.bytes().len();
            clicks <= limits::WRITE && bytes <= limits::WRITE_BYTES
        };
        let count = self.batches.iter().take_while(fits).count().max(1);
        self.batches.iter().take(count.min(most)).cloned().collect()
    }

    /// Whether the oldest has waited long enough: longer in a flood.
    fn is_due(&mut self, now: Instant) -> bool {
        self.pace.look(now);
        let wait = if self.pace.is_flood() { limits::WAIT_FLOOD } else { limits::WAIT };
        self.batches.first().is_some_and(|taken| now - taken.at >= wait)
    }

    /// The first `count` are written.
    fn drop_first(&mut self, count: usize) {
        for taken in self.batches.drain(..count) {
            self.clicks -= taken.batch.len();
            self.bytes -= taken.batch.bytes().len();
            if let Some(known) = self.known.get_mut(&taken.mark.epoch) {
                known.durable = taken.mark.sequence;
            }
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Known {
    taken: u64,
    durable: u64,
}

impl Clicks {
    pub(crate) fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            waiting: Mutex::default(),
            flushing: Mutex::default(),
            partitions: partitions::Partitions::default(),
        }
    }

    pub(crate) fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        self.learn(mark.epoch)?;
        while self.waiting.lock().needs_room(batch) {
            self.write_asked(Instant::now(), Extent::Transaction)?;
        }
        let mut waiting = self.waiting.lock();
        let known = waiting.known.get(&mark.epoch).copied().unwrap_or_default();
        if mark.sequence <= known.taken {
            return Ok(Appended::Duplicate);
        }
        let mut discarded = 0;
        for row in batch.rows() {
            let row = row.map_err(|error| Error::Corrupt(error.to_string()))?;
            let gone = waiting.purged.as_ref().is_some_and(|links| links.contains(&row.id.link));
            discarded += u64::from(gone);
        }
        waiting.known.insert(mark.epoch, Known { taken: mark.sequence, ..known });
        waiting.push(mark, batch.clone());
        Ok(Appended::Fresh { discarded })
    }

    pub(crate) fn durable(&self, epoch: Epoch) -> Result<u64> {
        self.learn(epoch)?;
        Ok(self.waiting.lock().known.get(&epoch).copied().unwrap_or_default().durable)
    }

    /// Writes what waits.
    pub(crate) fn flush(&self) -> Result<()> {
        self.write_asked(Instant::now(), Extent::All)
    }

    /// Writes what waits, for somebody who wants to read it; false where that is too much to be waited
    /// for.
    fn catch_up(&self) -> Result<bool> {
        let few = self.waiting.lock().clicks <= limits::READ;
        if few { self.flush().map(|()| true) } else { Ok(false) }
    }

    /// When the oldest click was received that reads don't show.
    pub(crate) fn behind(&self) -> Option<Timestamp> {
        let waiting = self.waiting.lock();
        let oldest = waiting.batches.first().filter(|_| waiting.clicks > limits::READ)?;
        oldest.batch.rows().next()?.ok().map(|row| row.id.received)
    }

    /// Writes what waits, asked for at this time. Where a write has failed since, its error is the
    /// answer: those who waited for it would each wait as long again, one after the other.
    fn write_asked(&self, asked: Instant, extent: Extent) -> Result<()> {
        let taken = self.waiting.lock().taken;
        let mut flushing = self.flushing.lock();
        if let Some((at, error)) = &flushing.failed
            && *at >= asked
        {
            return Err(error.clone());
        }
        let done = self.write(&mut flushing.memory, taken, extent);
        flushing.failed = done.as_ref().err().map(|error| (Instant::now(), error.clone()));
        done
    }

    /// Writes of what was here when `taken` batches had been taken.
    fn write(&self, memory: &mut flush::Memories, taken: u64, extent: Extent) -> Result<()> {
        loop {
            let batches = self.waiting.lock().first(taken);
            if batches.is_empty() {
                return Ok(());
            }
            flush::write(&self.database, &self.partitions, &batches, memory)
                // Perhaps another node has dropped a day that was known to be there.
                .inspect_err(|_| self.partitions.forget())?;
            self.waiting.lock().drop_first(batches.len());
            if extent == Extent::Transaction {
                return Ok(());
            }
        }
    }

    /// Writes some of what has waited long enough.
    pub(crate) fn flush_old(&self) -> Result<()> {
        let due = self.waiting.lock().is_due(Instant::now());
        if due { self.write_asked(Instant::now(), Extent::Transaction) } else { Ok(()) }
    }

    /// Closes some of the hours that are over; whether there may be more. No flush of this node is
    /// under way meanwhile, which would take another slot; who waits for one is told a failure.
    pub(crate) fn close_hours(&self) -> Result<bool> {
        let mut flushing = self.flushing.lock();
        let done = self.database.write(close::over);
        if let Err(error) = &done {
            flushing.failed = Some((Instant::now(), error.clone()));
        }
        done
    }

    pub(crate) fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        self.flush()?;
        self.database.write(|txn| flush::forget(txn, epoch))?;
        self.waiting.lock().known.remove(&epoch);
        Ok(())
    }

    pub(crate) fn record(&self, events: &[Event]) -> Result<Vec<Recorded>> {
        // What converts may wait; a reported click asks for none of that.
        let converts = events.iter().any(|event| matches!(event, Event::Conversion(_)));
        if converts && !self.catch_up()? && !events::has_clicks_of(&self.database, events)? {
            self.flush()?;
        }
        events::record(&self.database, &self.partitions, events)
            .inspect_err(|_| self.partitions.forget())
    }

    pub(crate) fn take_inserted(
        &self,
        look: &dyn Fn(&Inserted) -> Result<NewClick>,
    ) -> Result<u64> {
        inbox::take(&self.database, &self.partitions, look)
            .inspect_err(|_| self.partitions.forget())
    }

    pub(crate) fn clicks(&self, query: &ClickQuery) -> Result<Page<StoredClick, Vec<u8>>> {
        self.catch_up()?;
        self.database.with(|client| pages::clicks(client, query))
    }

    pub(crate) fn count(&self, scope: ClickScope, range: Range<Timestamp>) -> Result<Window> {
        self.catch_up()?;
        self.database.with(|client| pages::count(client, scope, &range))
    }

    pub(crate) fn click(&self, id: ClickId) -> Result<Option<StoredClick>> {
        self.catch_up()?;
        self.database.with(|client| pages::click(client, id))
    }

    pub(crate) fn totals(&self, links: &[LinkId]) -> Result<Vec<Totals>> {
        self.catch_up()?;
        self.database.with(|client| tallies::totals(client, links))
    }

    pub(crate) fn tally(&self, query: &TallyQuery) -> Result<Vec<Bucket>> {
        self.catch_up()?;
        self.database.with(|client| tallies::tally(client, query))
    }

    pub(crate) fn link_counts(&self, query: &LinkCountQuery) -> Result<Page<LinkCount, LinkId>> {
        self.catch_up()?;
        self.database.with(|client| tallies::link_counts(client, query))
    }

    pub(crate) fn trim(&self, trim: Trim) -> Result<Trimmed> {
        self.flush()?;
        match trim {
            Trim::Before(time) => {
                let trimmed =
                    self.database.write_with_patience(limits::SLOW, |txn| trim::before(txn, time));
                self.partitions.forget();
                trimmed
            }
            Trim::Link(link, workspace) => {
                let trimmed = self
                    .database
                    .write_with_patience(limits::SLOW, |txn| trim::purge(txn, link, workspace))?;
                if let Some(purged) = &mut self.waiting.lock().purged {
                    purged.insert(link);
                }
                Ok(trimmed)
            }
        }
    }

    /// Reads what the database knows of an epoch, and which links are purged, where this node
    /// hasn't yet.
    fn learn(&self, epoch: Epoch) -> Result<()> {
        let (known, purged) = {
            let waiting = self.waiting.lock();
            (waiting.known.contains_key(&epoch), waiting.purged.is_some())
        };
        if !known {
            let sequence = self.database.with(|client| flush::mark(client, epoch))?;
            let known = Known { taken: sequence, durable: sequence };
            self.waiting.lock().known.entry(epoch).or_insert(known);
        }
        if !purged {
            let links = self.database.with(flush::purged)?;
            self.waiting.lock().purged.get_or_insert(links);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
