//! The shipper thread: feeds the store in order, each batch once, and clears the journal behind it.
//!
//! First what earlier starts left in the journal, then ours. A store that refuses is asked again
//! with a growing pause, for ever: meanwhile clicks wait in memory and in the journal. A segment
//! goes once the store says that everything in it is durable; the mark of an earlier epoch is
//! forgotten once no segment of it can come back, not even after a power cut.

use std::{
    fs::File,
    io::{Read, Take},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use waypost_link::Timestamp;
use waypost_storage::{Appended, Batch, Epoch, Error, Mark, Pace, Sink};

use crate::{
    backlog::{Backlog, Pending, Segment, Work},
    journal::{Frame, Frames, sync_dir},
    limits,
};

pub(crate) struct Shipper {
    backlog: Arc<Backlog>,
    sink: Arc<dyn Sink>,
    directory: PathBuf,
    epoch: Epoch,
    /// Clicks that the store took since it was last flushed, and when that was.
    unflushed: u64,
    flushed: Instant,
    flush_took: Duration,
    pace: Pace,
    retry: Duration,
}

/// The shipper is to end although there is more to do.
struct GivenUp;

impl Shipper {
    pub(crate) fn new(
        backlog: Arc<Backlog>,
        sink: Arc<dyn Sink>,
        directory: PathBuf,
        epoch: Epoch,
    ) -> Self {
        Self {
            backlog,
            sink,
            directory,
            epoch,
            unflushed: 0,
            flushed: Instant::now(),
            flush_took: Duration::ZERO,
            pace: Pace::new(Instant::now()),
            retry: limits::RETRY_FIRST,
        }
    }

    pub(crate) fn run(mut self) {
        if self.work().is_ok() && self.flush() {
            self.forget_own();
        }
        self.backlog.change(|state| state.shipper_ended = true);
    }

    fn work(&mut self) -> Result<(), GivenUp> {
        loop {
            match self.backlog.next(self.wakes()) {
                Work::Batch(Pending { mark, batch, .. }) => {
                    self.ship(mark, &batch)?;
                    self.backlog.lock().recycle(batch);
                }
                Work::Segment(segment) => self.read(&segment)?,
                Work::Idle(passed) => self.settle(passed)?,
                Work::Ended if self.backlog.lock().given_up() => return Err(GivenUp),
                Work::Ended => return Ok(()),
            }
            let now = Instant::now();
            self.pace.look(now);
            if now >= self.flush_due() && !self.flush() {
                self.pause()?;
            }
        }
    }

    /// Offers a batch to the store until it takes it.
    fn ship(&mut self, mark: Mark, batch: &Batch) -> Result<(), GivenUp> {
        let counters = &self.backlog.counters;
        let clicks = batch.len() as u64;
        loop {
            match self.sink.append(mark, batch) {
                Ok(Appended::Fresh { discarded }) => {
                    counters.shipped.add(clicks);
                    counters.discarded.add(discarded);
                    break;
                }
                Ok(Appended::Duplicate) => {
                    counters.duplicate.add(clicks);
                    break;
                }
                Err(error) => {
                    counters.sink.report("the store takes no clicks", &error);
                    if matches!(error, Error::Full(_)) {
                        // A store that is full of what it has not yet made durable.
                        let _ = self.sink.flush();
                    }
                    let go_on = self.backlog.pause(self.retry);
                    self.retry = (2 * self.retry).min(limits::RETRY_MOST);
                    if !go_on {
                        return Err(GivenUp);
                    }
                }
            }
        }
        self.retry = limits::RETRY_FIRST;
        counters.sink.over();
        // A duplicate may be among what the store took and has not made durable, too.
        self.took(clicks);
        self.backlog.lock().delivered();
        Ok(())
    }

    /// Ships what is in a segment, and what is added to it meanwhile.
    fn read(&mut self, segment: &Segment) -> Result<(), GivenUp> {
        let mut segment = segment.clone();
        let mut frames = match File::open(&segment.path) {
            Ok(file) => Frames::new(file.take(segment.bytes)),
            Err(error) => return self.unreadable(&segment, &error),
        };
        let mut last = 0;
        loop {
            match frames.next() {
                Ok(Some(frame)) => {
                    last = frame.sequence;
                    let mark = Mark { epoch: segment.epoch, sequence: last };
                    let fresh = self.backlog.lock().take_read(&segment, mark, frame.oldest);
                    match fresh {
                        None => return Ok(()),
                        Some(false) => {}
                        Some(true) => self.ship_read(mark, frame)?,
                    }
                }
                Ok(None) => {
                    let more = self.backlog.lock().finish_read(&segment, last);
                    if more == 0 {
                        self.count_damage(&frames);
                        return Ok(());
                    }
                    segment.bytes += more;
                    let limit = frames.get_mut().limit();
                    frames.get_mut().set_limit(limit + more);
                }
                Err(error) => return self.unreadable(&segment, &error),
            }
        }
    }

    fn ship_read(&mut self, mark: Mark, frame: Frame) -> Result<(), GivenUp> {
        let counters = &self.backlog.counters;
        if mark.epoch != self.epoch {
            counters.replayed.add(u64::from(frame.clicks));
        }
        match Batch::decode(frame.payload) {
            Ok(batch) => self.ship(mark, &batch),
            Err(error) => {
                counters.lost.add(u64::from(frame.clicks));
                counters.damaged.add(1);
                counters.journal.report("a batch of the click journal is damaged", &error);
                self.backlog.lock().delivered();
                Ok(())
            }
        }
    }

    fn count_damage(&self, frames: &Frames<Take<File>>) {
        let (damage, counters) = (frames.damage(), &self.backlog.counters);
        counters.damaged.add(damage.places);
        counters.lost.add(damage.clicks);
        counters.torn_bytes.add(damage.torn);
        if damage.places > 0 {
            let clicks = damage.clicks;
            counters
                .journal
                .report("the click journal is damaged", &format_args!("{clicks} clicks lost"));
        }
    }

    /// Leaves a segment that can't be read where it is.
    fn unreadable(&mut self, segment: &Segment, error: &std::io::Error) -> Result<(), GivenUp> {
        self.backlog.counters.damaged.add(1);
        self.backlog.counters.journal.report("a journal segment can't be read", error);
        let mut state = self.backlog.lock();
        state.finish_read(segment, segment.last);
        for listed in state.segments.iter_mut().filter(|s| s.path == segment.path) {
            listed.kept = true;
        }
        Ok(())
    }

    /// Notes clicks that the store has, but has not made durable.
    fn took(&mut self, clicks: u64) {
        self.unflushed += clicks;
        self.pace.add(clicks, Instant::now());
    }

    /// When the store is to be flushed next.
    fn flush_due(&self) -> Instant {
        self.flushed + wait(&self.pace, self.flush_took)
    }

    /// When to look whether a flush is due, at the latest: a load may be over before one is.
    fn wakes(&self) -> Instant {
        match is_load(&self.pace) {
            true => self.flush_due().min(self.pace.ends()),
            false => self.flush_due(),
        }
    }

    /// Nothing is left to ship: whoever waits for that gets a flush.
    fn settle(&mut self, passed: u64) -> Result<(), GivenUp> {
        if passed == self.backlog.lock().settled {
            return Ok(());
        }
        if self.flush() {
            self.backlog.change(|state| state.settled = passed);
            return Ok(());
        }
        self.pause()
    }

    fn pause(&mut self) -> Result<(), GivenUp> {
        let pause = self.retry;
        self.retry = (2 * pause).min(limits::RETRY_MOST);
        if self.backlog.pause(pause) { Ok(()) } else { Err(GivenUp) }
    }

    /// Has the store make durable what it took, and clears the journal of it; false where the
    /// store can't.
    fn flush(&mut self) -> bool {
        let begun = Instant::now();
        if self.unflushed > 0 {
            if let Err(error) = self.sink.flush() {
                self.backlog.counters.sink.report("the store can't make clicks durable", &error);
                return false;
            }
            self.backlog.counters.sink.over();
            self.flush_took = begun.elapsed();
            self.unflushed = 0;
        }
        self.flushed = Instant::now();
        self.clear();
        true
    }

    /// Removes the segments that are durable in the store.
    fn clear(&mut self) {
        let mut epochs: Vec<Epoch> = Vec::new();
        {
            let state = self.backlog.lock();
            let closed = state.segments.len().saturating_sub(1);
            let ours = |at: usize, s: &Segment| s.epoch == self.epoch && at < closed;
            let done = |(at, s): &(usize, &Segment)| s.read || ours(*at, s);
            epochs.extend(state.segments.iter().enumerate().filter(done).map(|(_, s)| s.epoch));
            epochs.dedup();
        }
        for epoch in epochs {
            let Ok(durable) = self.sink.durable(epoch) else { return };
            self.remove(epoch, durable);
        }
        let gone = self.backlog.lock().gone();
        self.forget(&gone);
    }

    /// Lets the store forget the epochs of which nothing is left.
    fn forget(&self, epochs: &[Epoch]) {
        if !epochs.is_empty() && sync_dir(&self.directory).is_ok() {
            for &epoch in epochs {
                let _ = self.sink.forget_epoch(epoch);
            }
        }
    }

    /// Takes from the list the segments of `epoch` that hold nothing past `durable`.
    fn remove(&self, epoch: Epoch, durable: u64) {
        let mut state = self.backlog.lock();
        let open = state.segments.back().map(|s| (s.epoch, s.number));
        let open = open.filter(|&(epoch, _)| epoch == self.epoch && !state.writer_ended);
        let mut gone = Vec::new();
        state.segments.retain(|s| {
            let done = s.epoch == epoch && (s.read || epoch == self.epoch) && s.last <= durable;
            let go = done && !s.kept && open != Some((s.epoch, s.number));
            if go {
                gone.push(s.path.clone());
            }
            !go
        });
        drop(state);
        for path in gone {
            if let Err(error) = std::fs::remove_file(&path) {
                self.backlog.counters.journal.report("a journal segment can't be removed", &error);
            }
        }
    }

    /// After a clean end nothing of this epoch is left, neither here nor in the store.
    fn forget_own(&self) {
        let Ok(durable) = self.sink.durable(self.epoch) else { return };
        self.remove(self.epoch, durable);
        let state = self.backlog.lock();
        let gone = state.segments.iter().all(|s| s.epoch != self.epoch);
        let clean = gone && state.is_empty() && durable > 0;
        drop(state);
        if clean {
            self.forget(&[self.epoch]);
        }
    }
}

/// From a flush, which took so long, to the next: soon where there is little to do, be it that
/// there was much a moment ago; under load so that flushing takes a small part of the time.
fn wait(pace: &Pace, took: Duration) -> Duration {
    let least = if pace.is_flood() { limits::FLUSH_LATE } else { limits::FLUSH_OFTEN };
    match is_load(pace) {
        true => (took * limits::FLUSH_SHARE).clamp(least, limits::FLUSH_SELDOM),
        false => least,
    }
}

/// Whether there is much to do.
fn is_load(pace: &Pace) -> bool {
    pace.is_over(limits::LITTLE) || pace.is_flood()
}

/// How long ago `oldest` was.
pub(crate) fn age(oldest: Timestamp) -> Duration {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let then = Duration::from_micros(u64::try_from(oldest.0).unwrap_or(0));
    now.unwrap_or_default().saturating_sub(then)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_flushed_less_often_than_a_load() {
        let flood = waypost_storage::limits::FLOOD;
        for (rate, took, seconds) in [
            (limits::LITTLE, 1_000, 0.5),
            (limits::LITTLE + 2, 20, 1.0),
            (flood, 1, 0.5),
            (flood + 2, 1, 5.0),
            (flood + 2, 200, 10.0),
            (flood + 2, 1_000, 30.0),
        ] {
            let now = Instant::now();
            let mut pace = Pace::new(now);
            pace.add(rate / 2, now);
            let wait = wait(&pace, Duration::from_millis(took));
            assert_eq!(wait.as_secs_f64(), seconds, "{rate}/s, the last took {took} ms");
        }
    }
}
