//! What lies between the writer and the shipper: batches in memory, segments on disk.
//!
//! The writer never waits here. While the shipper keeps up, batches pass through memory. Once
//! `backlog_bytes` of them wait, later ones stay in the journal alone (`spilled`), and
//! the shipper reads them back until it has caught up with the writer. So what the store has not
//! taken is always, in this order: segments of earlier epochs, the queue, the tail of our segments.

use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex, MutexGuard};
use waypost_link::Timestamp;
use waypost_storage::{Batch, Epoch, Mark};

use crate::{limits, stats::Counters};

/// A segment on disk.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) epoch: Epoch,
    pub(crate) number: u32,
    /// Good bytes.
    pub(crate) bytes: u64,
    /// The last sequence in it, as far as known.
    pub(crate) last: u64,
    /// Whether everything in it has been offered to the store: known of earlier epochs only.
    pub(crate) read: bool,
    /// Not to be removed: it could not be read.
    pub(crate) kept: bool,
}

/// A batch on its way to the store.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) mark: Mark,
    pub(crate) oldest: Timestamp,
    pub(crate) batch: Batch,
}

/// What the shipper has to do next.
#[derive(Debug)]
pub(crate) enum Work {
    /// A batch from memory.
    Batch(Pending),
    /// A segment to read, of an earlier epoch or our own.
    Segment(Segment),
    /// Nothing; up to this request to settle, all has been shipped.
    Idle(u64),
    /// Nothing any more: the writer has ended.
    Ended,
}

/// How far a stop has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Running,
    /// The writer drains and ends; the shipper goes on until this instant at most.
    Until(Instant),
}

#[derive(Debug)]
pub(crate) struct Backlog {
    pub(crate) counters: Counters,
    state: Mutex<State>,
    /// The shipper waits here.
    work: Condvar,
    /// Whoever waits for the threads waits here.
    progress: Condvar,
}

#[derive(Debug)]
pub(crate) struct State {
    /// Ours.
    pub(crate) epoch: Epoch,
    /// Oldest first, those of earlier epochs before ours.
    pub(crate) segments: VecDeque<Segment>,
    /// Earlier epochs that the store has not been told to forget.
    earlier: Vec<Epoch>,
    queue: VecDeque<Pending>,
    queue_bytes: usize,
    most_bytes: usize,
    /// Memory of batches that were shipped: fresh memory costs more than what is done with it.
    spare: Vec<Vec<u8>>,
    spilled: bool,
    /// The last batch that the shipper has taken in hand, and its oldest click while it has it.
    taken: Option<Mark>,
    in_hand: Option<Timestamp>,
    shipped: Timestamp,
    pub(crate) stop: Stop,
    pub(crate) writer_ended: bool,
    pub(crate) shipper_ended: bool,
    /// Numbers of requests to settle: asked, passed by the writer, flushed by the shipper.
    pub(crate) asked: u64,
    pub(crate) passed: u64,
    pub(crate) settled: u64,
}

impl Backlog {
    pub(crate) fn new(epoch: Epoch, segments: VecDeque<Segment>, most_bytes: usize) -> Self {
        let mut earlier: Vec<_> = segments.iter().map(|segment| segment.epoch).collect();
        earlier.dedup();
        let state = State {
            epoch,
            segments,
            earlier,
            queue: VecDeque::new(),
            queue_bytes: 0,
            most_bytes,
            spare: Vec::new(),
            spilled: false,
            taken: None,
            in_hand: None,
            shipped: Timestamp(i64::MAX),
            stop: Stop::Running,
            writer_ended: false,
            shipper_ended: false,
            asked: 0,
            passed: 0,
            settled: 0,
        };
        let (work, progress) = (Condvar::new(), Condvar::new());
        Self { counters: Counters::default(), state: Mutex::new(state), work, progress }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// Changes the state and wakes whoever may wait for that.
    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.work.notify_all();
        self.progress.notify_all();
    }

    /// The writer's: a batch, and whether it is in the journal. False where it is in neither.
    pub(crate) fn push(&self, pending: Pending, journaled: bool) -> bool {
        let mut state = self.state.lock();
        let bytes = pending.batch.bytes().len();
        if state.spilled || state.queue_bytes + bytes > state.most_bytes {
            state.spilled |= journaled;
            return journaled;
        }
        state.queue_bytes += bytes;
        state.queue.push_back(pending);
        drop(state);
        self.work.notify_all();
        true
    }

    /// The shipper's: what comes next, waiting for it until `until`.
    pub(crate) fn next(&self, until: Instant) -> Work {
        let mut state = self.state.lock();
        loop {
            let work = state.next();
            if !matches!(work, Work::Idle(_)) || state.must_flush() {
                return work;
            }
            if self.work.wait_until(&mut state, until).timed_out() {
                return state.next();
            }
        }
    }

    /// Waits for `pause` or a stop; whether the shipper is to go on.
    pub(crate) fn pause(&self, pause: Duration) -> bool {
        let mut state = self.state.lock();
        let until = Instant::now() + pause;
        while !state.given_up() && !self.work.wait_until(&mut state, until).timed_out() {}
        !state.given_up()
    }

    /// Waits until `done` says so; whether it did before `until`.
    pub(crate) fn wait(&self, until: Instant, done: impl Fn(&State) -> bool) -> bool {
        let mut state = self.state.lock();
        while !done(&state) {
            if self.progress.wait_until(&mut state, until).timed_out() {
                return done(&state);
            }
        }
        true
    }
}

impl State {
    fn next(&mut self) -> Work {
        if self.given_up() {
            return Work::Ended;
        }
        if let Some(old) = self.segments.iter().find(|s| s.epoch != self.epoch && !s.read) {
            return Work::Segment(old.clone());
        }
        if let Some(pending) = self.queue.pop_front() {
            self.queue_bytes -= pending.batch.bytes().len();
            self.take(pending.mark, pending.oldest);
            return Work::Batch(pending);
        }
        if self.spilled {
            let taken = self.taken_of(self.epoch);
            let behind = |s: &&Segment| s.epoch == self.epoch && s.last > taken;
            match self.segments.iter().find(behind) {
                Some(segment) => return Work::Segment(segment.clone()),
                None => self.spilled = false,
            }
        }
        if self.writer_ended { Work::Ended } else { Work::Idle(self.passed) }
    }

    fn take(&mut self, mark: Mark, oldest: Timestamp) {
        (self.taken, self.in_hand) = (Some(mark), Some(oldest));
    }

    fn taken_of(&self, epoch: Epoch) -> u64 {
        self.taken.filter(|mark| mark.epoch == epoch).map_or(0, |mark| mark.sequence)
    }

    /// The last sequence of `epoch` that needs no journal any more to reach the store.
    fn covered(&self, epoch: Epoch) -> u64 {
        let queued = self.queue.back().filter(|pending| pending.mark.epoch == epoch);
        self.taken_of(epoch).max(queued.map_or(0, |pending| pending.mark.sequence))
    }

    /// The shipper's: takes in hand a batch that it read from `segment`; false where it has it
    /// already, `None` where the segment was dropped meanwhile.
    pub(crate) fn take_read(&mut self, segment: &Segment, mark: Mark, at: i64) -> Option<bool> {
        self.place(segment)?;
        let fresh = mark.sequence > self.taken_of(mark.epoch);
        if fresh {
            self.take(mark, Timestamp(at));
        }
        Some(fresh)
    }

    /// The shipper's: has come to the end of `segment`. Gives how much has been added to it
    /// meanwhile; where there is nothing, it is done with.
    pub(crate) fn finish_read(&mut self, segment: &Segment, last: u64) -> u64 {
        let Some(at) = self.place(segment) else { return 0 };
        let listed = &mut self.segments[at];
        let more = listed.bytes - segment.bytes;
        if more == 0 {
            listed.read = listed.epoch != self.epoch;
            listed.last = listed.last.max(last);
            let mark = Mark { epoch: segment.epoch, sequence: listed.last };
            // Damaged batches at the end are passed over for good.
            if mark.sequence > self.taken_of(mark.epoch) {
                self.taken = Some(mark);
            }
        }
        more
    }

    fn place(&self, segment: &Segment) -> Option<usize> {
        self.segments.iter().position(|s| (s.epoch, s.number) == (segment.epoch, segment.number))
    }

    /// The shipper's: a batch that it needs no more.
    pub(crate) fn recycle(&mut self, batch: Batch) {
        if self.spare.len() < limits::SPARE_FRAMES {
            self.spare.push(batch.into_bytes());
        }
    }

    /// The writer's: memory for a batch.
    pub(crate) fn spare(&mut self) -> Vec<u8> {
        let mut spare = self.spare.pop().unwrap_or_default();
        spare.clear();
        spare
    }

    /// The shipper's: the store has the batch in hand.
    pub(crate) fn delivered(&mut self) {
        if let Some(oldest) = self.in_hand.take() {
            self.shipped = oldest;
        }
    }

    /// The oldest click that the store has not taken.
    pub(crate) fn oldest(&self) -> Option<Timestamp> {
        let queued = || self.queue.front().map(|pending| pending.oldest);
        let unread =
            || self.spilled || self.segments.iter().any(|s| s.epoch != self.epoch && !s.read);
        let behind = || (self.shipped.0 < i64::MAX && unread()).then_some(self.shipped);
        self.in_hand.or_else(behind).or_else(queued)
    }

    /// The writer's: `bytes` of our newest segment are good now, up to `sequence`.
    pub(crate) fn written(&mut self, bytes: u64, sequence: u64) {
        if let Some(segment) = self.segments.back_mut() {
            (segment.bytes, segment.last) = (bytes, sequence);
        }
    }

    pub(crate) fn journal_bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// Takes the oldest segment off the list, where the journal has more than `most` bytes and it
    /// is not the only one. With it, the last of its sequences that the store will get all the
    /// same.
    pub(crate) fn drop_oldest(&mut self, most: u64) -> Option<(Segment, u64)> {
        if self.journal_bytes() <= most || self.segments.len() < 2 {
            return None;
        }
        let segment = self.segments.pop_front()?;
        let covered = if segment.read { u64::MAX } else { self.covered(segment.epoch) };
        Some((segment, covered))
    }

    /// The shipper's, with nothing in hand: the earlier epochs of which no segment is left.
    pub(crate) fn gone(&mut self) -> Vec<Epoch> {
        let segments = &self.segments;
        self.earlier.extract_if(.., |e| segments.iter().all(|s| s.epoch != *e)).collect()
    }

    /// Whether nothing waits for the store.
    pub(crate) fn is_empty(&self) -> bool {
        let unread = self.segments.iter().any(|s| s.epoch != self.epoch && !s.read);
        self.queue.is_empty() && !self.spilled && self.in_hand.is_none() && !unread
    }

    pub(crate) fn given_up(&self) -> bool {
        matches!(self.stop, Stop::Until(end) if Instant::now() >= end)
    }

    /// Whether somebody waits for a flush that the shipper can do now.
    fn must_flush(&self) -> bool {
        self.passed > self.settled
    }
}
