//! What an embedder may choose.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use waypost_clicks::{Config, limits};
use waypost_link::{IpPolicy, Timestamp};
use waypost_redirect::Settings;
use waypost_storage::Snapshot;

/// How to start.
pub struct Options {
    /// The data directory: lock and journal lie there, and an embedded store.
    pub dir: PathBuf,
    /// Hosts, proxies and countries.
    pub engine: Settings,
    /// The way of a click.
    pub clicks: ClickOptions,
    /// Days that raw clicks are kept.
    pub retention_days: u64,
    /// How often the index is held against the store.
    pub audit: Duration,
    /// Where a copy of a store that is elsewhere is kept, so that a start needs no store.
    pub snapshot: Option<Arc<dyn Snapshot>>,
    /// The clock.
    pub now: fn() -> Timestamp,
}

/// The way of a click.
#[derive(Clone, Debug)]
pub struct ClickOptions {
    /// Threads that record clicks.
    pub lanes: usize,
    /// Most bytes of clicks between them and the writer.
    pub queue_bytes: usize,
    /// A click is in the journal so long after it was made.
    pub flush: Duration,
    /// And on the disk so long after.
    pub sync: Duration,
    /// Most bytes of the journal.
    pub journal_max_bytes: u64,
    /// How much of a visitor's address is kept.
    pub ip: IpPolicy,
}

impl Options {
    /// The defaults, in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            engine: Settings::default(),
            clicks: ClickOptions::default(),
            retention_days: 90,
            audit: Duration::from_secs(600),
            snapshot: None,
            now: system_time,
        }
    }
}

impl Default for ClickOptions {
    fn default() -> Self {
        Self {
            lanes: std::thread::available_parallelism().map_or(1, usize::from),
            queue_bytes: limits::QUEUE_BYTES,
            flush: Duration::from_millis(10),
            sync: Duration::from_millis(100),
            journal_max_bytes: limits::JOURNAL_BYTES,
            ip: IpPolicy::default(),
        }
    }
}

impl ClickOptions {
    pub(crate) fn config(&self, dir: &Path, secret: [u8; 16]) -> Config {
        Config {
            ip: self.ip,
            lanes: self.lanes,
            queue_bytes: self.queue_bytes,
            flush: self.flush,
            sync: self.sync,
            journal_bytes: self.journal_max_bytes,
            ..Config::new(dir.join("journal"), secret)
        }
    }
}

fn system_time() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
