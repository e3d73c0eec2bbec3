//! [`Pipeline`]: the queue, the journal and the three threads, started and stopped as one.

use std::{
    collections::VecDeque,
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle, Thread},
    time::{Duration, Instant, SystemTime},
};

use parking_lot::Mutex;
use waypost_link::IpPolicy;
use waypost_storage::{Epoch, Sink};

use crate::{
    Recorder, Stats, Visitors,
    backlog::{Backlog, Segment, Stop},
    journal::{self, Disk, Journal, RealDisk, SEGMENT_HEAD},
    limits, queue,
    shipper::{self, Shipper},
    syncer::Syncer,
    writer::{Desk, Rows, Writer},
};

/// What a pipeline needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// The journal's directory, for this process alone; made where it is missing.
    pub directory: PathBuf,
    /// Keys the hashes of visitors and addresses: the same on all nodes of a store, for ever.
    pub secret: [u8; 16],
    /// How much of an address is kept (`click_ip`).
    pub ip: IpPolicy,
    /// How many threads record: see [`queue`].
    pub lanes: usize,
    /// Most bytes of clicks between the workers and the writer.
    pub queue_bytes: usize,
    /// A click is in the journal so long after it was recorded (`click_flush_ms`).
    pub flush: Duration,
    /// And on the disk so long after (`click_sync_ms`).
    pub sync: Duration,
    /// Most bytes of batches that wait for the store in memory; more wait in the journal alone.
    pub backlog_bytes: usize,
    /// Most bytes of the journal (`journal_max_bytes`).
    pub journal_bytes: u64,
    /// Most bytes of one of its segments.
    pub segment_bytes: u64,
}

impl Config {
    /// The defaults of SPEC 10, one lane a core.
    pub fn new(directory: impl Into<PathBuf>, secret: [u8; 16]) -> Self {
        Self {
            directory: directory.into(),
            secret,
            ip: IpPolicy::default(),
            lanes: thread::available_parallelism().map_or(1, usize::from),
            queue_bytes: limits::QUEUE_BYTES,
            flush: Duration::from_millis(10),
            sync: Duration::from_millis(100),
            backlog_bytes: limits::BACKLOG_BYTES,
            journal_bytes: limits::JOURNAL_BYTES,
            segment_bytes: limits::SEGMENT_BYTES,
        }
    }
}

/// Why a pipeline can't be started. Nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The directory can't be made or read, or a thread not started.
    #[error("the click journal in {path} can't be opened: {error}")]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// Why.
        #[source]
        error: io::Error,
    },
    /// A newer version left clicks in the journal that this one can't read.
    #[error(
        "{path} is a click journal of format {version}, but this version knows {known}; \
         start the newer version once more and stop it cleanly",
        known = journal::VERSION
    )]
    Newer {
        /// The segment.
        path: PathBuf,
        /// Its format.
        version: u32,
    },
    /// The system has no random numbers.
    #[error("no random numbers for the click journal: {0}")]
    Random(String),
}

/// A running click pipeline. Dropping it stops it without waiting for the store: what the store
/// has not taken stays in the journal for the next start. [`Pipeline::close`] is the clean way.
pub struct Pipeline {
    backlog: Arc<Backlog>,
    sink: Arc<dyn Sink>,
    recorder: Recorder,
    writer: Thread,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Pipeline {
    /// Starts it. What earlier starts left in the journal is shipped in the background, before
    /// anything new.
    ///
    /// # Errors
    /// [`StartError`]; a full disk is not one, clicks then pass through memory alone.
    pub fn start(config: &Config, sink: Arc<dyn Sink>) -> Result<Self, StartError> {
        Self::start_on(config, sink, Arc::new(RealDisk))
    }

    pub(crate) fn start_on(
        config: &Config,
        sink: Arc<dyn Sink>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, StartError> {
        let directory = &config.directory;
        let failed = |error| StartError::Io { path: directory.clone(), error };
        fs::create_dir_all(directory).map_err(failed)?;
        let segments = left_over(directory)?;
        let epoch = random_epoch()?;
        let backlog = Arc::new(Backlog::new(epoch, segments, config.backlog_bytes));
        let syncer = Arc::new(Syncer::default());
        let (recorder, drain) = queue(config.lanes, config.queue_bytes);
        let segment_bytes = config.segment_bytes.min(config.journal_bytes / 4);
        let desk = Desk {
            backlog: Arc::clone(&backlog),
            journal: Journal::new(disk, directory.clone(), epoch, now(), segment_bytes),
            syncer: Arc::clone(&syncer),
            visitors: Visitors::new(config.secret),
            ip: config.ip,
            epoch,
            journal_bytes: config.journal_bytes,
            rows: Rows::default(),
        };
        let writer = Writer { drain, desk, flush: config.flush };
        let shipper =
            Shipper::new(Arc::clone(&backlog), Arc::clone(&sink), directory.clone(), epoch);
        let (every, watched) = (config.sync, Arc::clone(&backlog));
        let threads = [
            spawn("click-sync", move || syncer.run(every, &watched)),
            spawn("click-ship", move || shipper.run()),
            spawn("click-write", move || writer.run()),
        ];
        let threads = threads.into_iter().collect::<io::Result<Vec<_>>>().map_err(failed)?;
        let writer = threads.last().map_or_else(thread::current, |last| last.thread().clone());
        Ok(Self { backlog, sink, recorder, writer, threads: Mutex::new(threads) })
    }

    /// Where to record.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The counters, as of now.
    pub fn stats(&self) -> Stats {
        let counters = &self.backlog.counters;
        let (journal_bytes, oldest) = {
            let state = self.backlog.lock();
            (state.journal_bytes(), state.oldest())
        };
        let oldest = self.sink.behind().or(oldest);
        Stats {
            recorded: self.recorder.recorded(),
            dropped: self.recorder.dropped(),
            depth: self.recorder.depth() as u64,
            journaled: counters.journaled.get(),
            unjournaled: counters.unjournaled.get(),
            shipped: counters.shipped.get(),
            discarded: counters.discarded.get(),
            duplicate: counters.duplicate.get(),
            replayed: counters.replayed.get(),
            lost: counters.lost.get(),
            damaged: counters.damaged.get(),
            torn_bytes: counters.torn_bytes.get(),
            journal_bytes,
            journal_errors: counters.journal.errors.get(),
            sink_errors: counters.sink.errors.get(),
            journal_error: counters.journal.last(),
            sink_error: counters.sink.last(),
            lag: oldest.map_or(Duration::ZERO, shipper::age),
        }
    }

    /// Waits until everything that was recorded before the call is durable in the store; false
    /// where that took longer than `patience`.
    pub fn settle(&self, patience: Duration) -> bool {
        let mut ticket = 0;
        self.backlog.change(|state| {
            state.asked += 1;
            ticket = state.asked;
        });
        self.writer.unpark();
        self.backlog.wait(Instant::now() + patience, |state| state.settled >= ticket)
    }

    /// Stops: takes the last clicks, journals and syncs them, and gives the store `patience` to
    /// take and flush what is left. True where nothing is left; else it is in the journal and the
    /// next start ships it. From now on recording drops and counts. A second call does nothing new.
    pub fn close(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        self.backlog.change(|state| {
            if state.stop == Stop::Running {
                state.stop = Stop::Until(end);
            }
        });
        self.writer.unpark();
        let ended = self
            .backlog
            .wait(end + limits::STOP, |state| state.writer_ended && state.shipper_ended);
        let threads = std::mem::take(&mut *self.threads.lock());
        if ended {
            threads.into_iter().for_each(|thread| drop(thread.join()));
        }
        ended && self.backlog.lock().is_empty()
    }
}

impl fmt::Debug for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pipeline").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        self.close(Duration::ZERO);
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.into()).spawn(run)
}

fn random_epoch() -> Result<Epoch, StartError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| StartError::Random(error.to_string()))?;
    Ok(Epoch(u128::from_le_bytes(bytes)))
}

/// µs since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_micros() as i64)
}

/// The segments that earlier starts left.
fn left_over(directory: &Path) -> Result<VecDeque<Segment>, StartError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |error| StartError::Io { path, error }
    };
    let mut segments = VecDeque::new();
    for (name, path, bytes) in journal::found(directory).map_err(failed(directory))? {
        let mut head = Vec::new();
        let file = File::open(&path).map_err(failed(&path))?;
        file.take(SEGMENT_HEAD as u64).read_to_end(&mut head).map_err(failed(&path))?;
        if let Some(version) = journal::version_of(&head).filter(|&v| v > journal::VERSION) {
            return Err(StartError::Newer { path, version });
        }
        let (epoch, number) = (name.epoch, name.number);
        let (last, read, kept) = (0, false, false);
        segments.push_back(Segment { path, epoch, number, bytes, last, read, kept });
    }
    Ok(segments)
}
