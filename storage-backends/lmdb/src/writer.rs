//! The write thread: all writes of an environment, in this process, happen here.
//!
//! Jobs that wait while a commit is synced share the next one, so that the disk's latency bounds
//! the length of a commit and not the number of writers. Where commits are kept apart, jobs that
//! come one by one share one as well: a commit by itself takes the CPU of several changes. Where the
//! machine is busy, so that each takes longer, they are kept further apart.
//!
//! A job is a closure over the open write transaction; it either does all that it wants, or refuses
//! before it wrote anything. Where the transaction itself breaks, each job is tried once more
//! alone, so that one too large doesn't fail its neighbours.
//!
//! After an error of which nobody knows what the disk now holds, the thread refuses everything
//! until the environment is opened anew. It never retries a sync.
#![allow(unsafe_code)]

use std::{
    collections::VecDeque,
    fs::File,
    os::fd::AsRawFd,
    sync::{Arc, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use heed::{Env, RwTxn, WithoutTls};
use parking_lot::{Condvar, Mutex};
use waypost_storage::{Error, Result};

use crate::{
    fault::{self, Fault, Tried},
    limits,
    tables::{Schema, Tables},
};

/// An open environment, as the write thread and readers share it.
pub(crate) struct Opened<T> {
    /// LMDB's handle.
    pub(crate) env: Env<WithoutTls>,
    /// Its tables.
    pub(crate) tables: Tables<T>,
    /// Its map, in bytes.
    pub(crate) map_size: u64,
}

impl<T> Opened<T> {
    /// What `error` of a commit is: LMDB calls a write that was cut short by a full disk an I/O
    /// error, so room is asked for before that is believed.
    fn judge(&self, error: heed::Error) -> heed::Error {
        let is_io = matches!(&error, heed::Error::Io(io) if io.raw_os_error() == Some(libc::EIO));
        if !is_io {
            return error;
        }
        match self.env.try_clone_inner_file().and_then(|file| Ok(room(&file)?)) {
            Err(heed::Error::Io(full)) if fault::is_full(&full) => full.into(),
            _ => error,
        }
    }

    /// `error` in the contract's words.
    pub(crate) fn explain(&self, error: &heed::Error) -> Error {
        fault::explain(error, self.env.path(), self.map_size)
    }
}

/// Fails where `file` can't grow by [`limits::ROOM`]. What it then has more of, LMDB uses later.
fn room(file: &File) -> std::io::Result<()> {
    let (length, room) = (file.metadata()?.len() as libc::off_t, limits::ROOM as libc::off_t);
    // SAFETY: the descriptor is open for writing as long as `file` lives, and reserving space
    // past the end changes no byte that is there.
    match unsafe { libc::fallocate(file.as_raw_fd(), 0, length, room) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

/// When the thread does what.
#[derive(Clone, Copy)]
pub(crate) struct Rhythm {
    /// How often the slots of readers that died are cleared.
    pub(crate) sweep: Duration,
    /// As [`Options::commit_interval`](crate::Options::commit_interval).
    pub(crate) interval: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self { sweep: limits::STALE_READERS, interval: Duration::ZERO }
    }
}

impl Rhythm {
    /// The time from the start of a commit that took so long to that of the next.
    pub(crate) fn pause(&self, took: Duration) -> Duration {
        (took * limits::REST).clamp(self.interval, self.interval * limits::STRETCH)
    }
}

/// The handle of the thread; dropping it finishes what waits and ends the thread.
pub(crate) struct Writer<T> {
    desk: Arc<Desk<T>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Schema> Writer<T> {
    /// Starts the thread. After each commit it calls `committed`.
    pub(crate) fn start(
        opened: Arc<Opened<T>>,
        rhythm: Rhythm,
        committed: impl Fn() + Send + 'static,
    ) -> Result<Self> {
        let desk = Arc::new(Desk { tray: Mutex::default(), wake: Condvar::new() });
        let place = opened.env.path().file_name().unwrap_or_default();
        let name = format!("lmdb-{}", place.to_string_lossy());
        let thread = Thread { opened, desk: desk.clone(), rhythm, committed: Box::new(committed) };
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || thread.run())
            .map_err(|error| Error::Unavailable(format!("no write thread: {error}")))?;
        Ok(Self { desk, thread: Some(thread) })
    }

    /// Runs `job` in a write transaction and waits until it is durable. The job may run twice,
    /// and must not have written anything where it refuses.
    pub(crate) fn submit<R: Send + 'static>(
        &self,
        job: impl FnMut(&Tables<T>, &mut RwTxn<'_>) -> Tried<R> + Send + 'static,
    ) -> Result<R> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.desk.hand_in(Box::new(Typed { job, output: None, reply }))?;
        answer.recv().unwrap_or_else(|_| Err(Error::Unavailable("the write thread died".into())))
    }
}

#[cfg(test)]
impl<T> Writer<T> {
    /// How many jobs wait.
    pub(crate) fn waiting(&self) -> usize {
        self.desk.tray.lock().waiting.len()
    }
}

impl<T> Drop for Writer<T> {
    fn drop(&mut self) {
        self.desk.tray.lock().closing = true;
        self.desk.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Where jobs wait. There are never more than callers, each of whom blocks.
struct Desk<T> {
    tray: Mutex<Tray<T>>,
    wake: Condvar,
}

struct Tray<T> {
    waiting: VecDeque<Box<dyn Job<T>>>,
    /// The thread sleeps until so many jobs wait.
    enough: usize,
    /// Why nothing is taken any more.
    stopped: Option<Error>,
    closing: bool,
}

impl<T> Default for Tray<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), enough: 1, stopped: None, closing: false }
    }
}

impl<T> Desk<T> {
    fn hand_in(&self, job: Box<dyn Job<T>>) -> Result<()> {
        let mut tray = self.tray.lock();
        if let Some(error) = &tray.stopped {
            return Err(error.clone());
        }
        tray.waiting.push_back(job);
        if tray.waiting.len() >= tray.enough {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Takes nothing more, and drops what waits: its callers see the thread gone.
    fn stop(&self, why: Error) {
        let mut tray = self.tray.lock();
        tray.stopped.get_or_insert(why);
        tray.waiting.clear();
    }
}

/// A job whose result's type is forgotten.
trait Job<T>: Send {
    fn run(&mut self, tables: &Tables<T>, txn: &mut RwTxn<'_>) -> Tried<()>;
    fn finish(self: Box<Self>, outcome: Result<()>);
}

struct Typed<F, R> {
    job: F,
    output: Option<R>,
    reply: mpsc::SyncSender<Result<R>>,
}

impl<T, R, F> Job<T> for Typed<F, R>
where
    R: Send,
    F: FnMut(&Tables<T>, &mut RwTxn<'_>) -> Tried<R> + Send,
{
    fn run(&mut self, tables: &Tables<T>, txn: &mut RwTxn<'_>) -> Tried<()> {
        self.output = Some((self.job)(tables, txn)?);
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<()>) {
        let lost = Error::Unavailable("a job without a result".into());
        let Self { output, reply, .. } = *self;
        let _ = reply.send(outcome.and_then(|()| output.ok_or(lost)));
    }
}

struct Thread<T> {
    opened: Arc<Opened<T>>,
    desk: Arc<Desk<T>>,
    rhythm: Rhythm,
    committed: Box<dyn Fn() + Send>,
}

impl<T: Schema> Thread<T> {
    fn run(self) {
        let _last_word = StopOnDrop(&self.desk);
        let mut swept = Instant::now();
        let mut earliest = swept;
        loop {
            let group = self.next_group(earliest, swept + self.rhythm.sweep);
            if swept.elapsed() >= self.rhythm.sweep {
                // A reader that died pins old pages: no harm but growth, so no error either.
                let _ = self.opened.env.clear_stale_readers();
                swept = Instant::now();
            }
            let start = Instant::now();
            match group {
                Some(group) => self.serve(group),
                None => return,
            }
            earliest = start + self.rhythm.pause(start.elapsed());
        }
    }

    /// What waits, as soon as anything does, but for few jobs not before `earliest`; empty when it is
    /// time to sweep, `None` at the end.
    fn next_group(&self, earliest: Instant, until: Instant) -> Option<Vec<Box<dyn Job<T>>>> {
        let mut tray = self.desk.tray.lock();
        for (enough, until) in [(1, until), (limits::ENOUGH, earliest)] {
            tray.enough = enough;
            while tray.waiting.len() < enough && !tray.closing {
                if self.desk.wake.wait_until(&mut tray, until).timed_out() {
                    break;
                }
            }
        }
        if tray.closing && tray.waiting.is_empty() {
            return None;
        }
        let count = tray.waiting.len().min(limits::GROUP);
        Some(tray.waiting.drain(..count).collect())
    }

    fn serve(&self, mut group: Vec<Box<dyn Job<T>>>) {
        match self.commit(&mut group) {
            Ok(outcomes) => {
                if outcomes.iter().any(Result::is_ok) {
                    (self.committed)();
                }
                for (job, outcome) in group.into_iter().zip(outcomes) {
                    job.finish(outcome);
                }
            }
            Err(error) => self.fail(group, &self.opened.judge(error)),
        }
    }

    /// The transaction of `group` broke: whoever may is tried alone, or told why not.
    fn fail(&self, group: Vec<Box<dyn Job<T>>>, error: &heed::Error) {
        if group.len() > 1 && !fault::stops(error) {
            group.into_iter().for_each(|job| self.serve(vec![job]));
            return;
        }
        let told = self.opened.explain(error);
        if fault::stops(error) {
            self.desk.stop(Error::Unavailable(format!("writing has stopped: {told}")));
        }
        group.into_iter().for_each(|job| job.finish(Err(told.clone())));
    }

    /// Runs all of `group` in one transaction: what each was answered, durably.
    fn commit(&self, group: &mut [Box<dyn Job<T>>]) -> heed::Result<Vec<Result<()>>> {
        let mut outcomes = Vec::with_capacity(group.len());
        if group.is_empty() {
            return Ok(outcomes);
        }
        let mut txn = self.opened.env.write_txn()?;
        for job in group {
            outcomes.push(match job.run(&self.opened.tables, &mut txn) {
                Ok(()) => Ok(()),
                Err(Fault::Refused(answer)) => Err(answer),
                Err(Fault::Broken(error)) => return Err(error),
            });
        }
        if outcomes.iter().any(Result::is_ok) {
            txn.commit()?;
        }
        Ok(outcomes)
    }
}

/// However the thread ends, nobody waits for it in vain.
struct StopOnDrop<'d, T>(&'d Desk<T>);

impl<T> Drop for StopOnDrop<'_, T> {
    fn drop(&mut self) {
        self.0.stop(Error::Unavailable("the write thread has ended".into()));
    }
}
