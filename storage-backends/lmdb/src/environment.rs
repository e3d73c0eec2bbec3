//! An LMDB environment: opened with care, read in short transactions, written by its own thread.
//!
//! Before LMDB maps a file its meta pages are read and held against its length, since a map past
//! a file's end dies of SIGBUS. The data directory's format number stands in both environments,
//! and a newer one is refused. Nothing here knows what is stored.
#![allow(unsafe_code)]

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use heed::{CommitOrAbort, CompactionOption, Env, EnvOpenOptions, RoTxn, RwTxn, WithoutTls};
use parking_lot::{Condvar, Mutex};
use waypost_storage::{Error, Result};

use crate::{
    codec,
    fault::{Fault, Tried, corrupt, explain},
    header, limits,
    tables::{Opened as OpenedTables, Schema, Tables},
    writer::{Opened, Rhythm, Writer},
};

/// LMDB's name for its file.
const DATA: &str = "data.mdb";
/// What a copy is called until it is whole.
const PARTIAL: &str = "data.mdb.partial";
/// Where `meta` keeps the format number. Whatever a later format changes, this stays readable.
const FORMAT: &[u8] = b"format";

/// One environment with its write thread.
pub(crate) struct Environment<T: Schema> {
    // The thread ends before the map goes: fields drop in this order.
    writer: Writer<T>,
    opened: Arc<Opened<T>>,
    pulse: Arc<Pulse>,
}

impl<T: Schema> Environment<T> {
    /// Opens the environment in `dir`, which is made where it is missing.
    ///
    /// # Errors
    /// `Unusable` (the directory, a newer format), `Corrupt`, `Full`, `Unavailable`.
    pub(crate) fn open(dir: &Path, map_size: u64) -> Result<Self> {
        Self::open_with(dir, map_size, Rhythm::default())
    }

    /// As [`Environment::open`], with a write thread of this rhythm.
    pub(crate) fn open_with(dir: &Path, map_size: u64, rhythm: Rhythm) -> Result<Self> {
        make_dir(dir)?;
        if dir.join(PARTIAL).exists() {
            let dir = dir.display();
            return Err(Error::Unusable(format!("{dir} holds a backup that was cut short")));
        }
        header::check(&dir.join(DATA))?;
        let map_size = map_size.max(limits::MAP_STEP).next_multiple_of(limits::MAP_STEP);
        let told = |error: heed::Error| unusable(dir, &error, map_size);
        let env = open_env(dir, map_size, T::NAMES.len() as u32).map_err(told)?;
        sync_dir(dir).map_err(|error| cannot(dir, "be synced", &error))?;
        env.clear_stale_readers().map_err(told)?;
        let tables = open_tables::<T>(&env, dir).map_err(|fault| match fault {
            Fault::Refused(error) => error,
            Fault::Broken(error) => told(error),
        })?;
        let opened = Arc::new(Opened { env, tables, map_size });
        let pulse = Arc::new(Pulse::default());
        let beat = pulse.clone();
        let writer = Writer::start(opened.clone(), rhythm, move || beat.beat())?;
        Ok(Self { writer, opened, pulse })
    }

    /// Asks `question` of the latest state. Keep it short: pages that it may see stay pinned.
    pub(crate) fn read<R>(
        &self,
        question: impl FnOnce(&Tables<T>, &RoTxn<'_>) -> Tried<R>,
    ) -> Result<R> {
        let answer = match self.opened.env.read_txn() {
            Ok(txn) => question(&self.opened.tables, &txn),
            Err(error) => Err(error.into()),
        };
        answer.map_err(|fault| match fault {
            Fault::Refused(error) => error,
            Fault::Broken(error) => self.opened.explain(&error),
        })
    }

    /// Runs `job` on the write thread, in one durable commit with whoever else is writing.
    ///
    /// The job may be run twice, and where it refuses it must not have written anything.
    pub(crate) fn write<R: Send + 'static>(
        &self,
        job: impl FnMut(&Tables<T>, &mut RwTxn<'_>) -> Tried<R> + Send + 'static,
    ) -> Result<R> {
        self.writer.submit(job)
    }

    /// Waits until this process commits again, at most until `until`; returns at once where
    /// `look` already says that there is nothing to wait for. `look` runs under the pulse's lock.
    pub(crate) fn wait_for_commit(
        &self,
        until: Instant,
        look: impl FnOnce() -> Result<bool>,
    ) -> Result<()> {
        self.pulse.wait(until, look)
    }

    /// Copies the latest state into the directory `to`, compacted, while everything goes on. The
    /// copy can't be opened before [`finish_copy`].
    pub(crate) fn copy(&self, to: &Path) -> Result<()> {
        make_dir(to)?;
        let copied = self.opened.env.copy_to_path(to.join(PARTIAL), CompactionOption::Enabled);
        let copied = copied.and_then(|file| Ok(file.sync_all()?));
        copied.map_err(|error| explain(&error, to, self.opened.map_size))
    }
}

/// Gives the copy in `dir` its name: from now on it opens.
pub(crate) fn finish_copy(dir: &Path) -> Result<()> {
    fs::rename(dir.join(PARTIAL), dir.join(DATA))
        .and_then(|()| sync_dir(dir))
        .map_err(|error| cannot(dir, "be written", &error))
}

/// Makes the directory where it is missing, so that it outlives a power cut.
pub(crate) fn make_dir(dir: &Path) -> Result<()> {
    match fs::metadata(dir) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => {
            return Err(Error::Unusable(format!("{} is not a directory", dir.display())));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(cannot(dir, "be used", &error)),
    }
    let parent = match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    make_dir(&parent)?;
    match fs::create_dir(dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(cannot(dir, "be made", &error))
        }
        _ => sync_dir(&parent).map_err(|error| cannot(&parent, "be synced", &error)),
    }
}

/// Makes the directory where it is missing; it must be empty.
pub(crate) fn make_empty_dir(dir: &Path) -> Result<()> {
    make_dir(dir)?;
    let mut entries = fs::read_dir(dir).map_err(|error| cannot(dir, "be read", &error))?;
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(Error::Unusable(format!("{} is not empty", dir.display()))),
    }
}

/// Makes names in `dir` durable: LMDB syncs its file, not the directory that names it.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn cannot(dir: &Path, what: &str, error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOSPC | libc::EDQUOT) => Error::Full(format!("{}: {error}", dir.display())),
        _ => Error::Unusable(format!("{} can't {what}: {error}", dir.display())),
    }
}

/// As `explain`, but what is no matter of room or damage is a matter of the directory.
fn unusable(dir: &Path, error: &heed::Error, map_size: u64) -> Error {
    match (explain(error, dir, map_size), error) {
        (Error::Unavailable(_), heed::Error::Io(io)) => cannot(dir, "be opened for writing", io),
        (told, _) => told,
    }
}

fn open_env(dir: &Path, map_size: u64, tables: u32) -> heed::Result<Env<WithoutTls>> {
    let mut options = EnvOpenOptions::new().read_txn_without_tls();
    let size = usize::try_from(map_size).unwrap_or(usize::MAX & !(limits::MAP_STEP as usize - 1));
    options.map_size(size).max_readers(limits::READERS).max_dbs(tables);
    // SAFETY: the map is shared with other processes only through LMDB's own lock file, no flag
    // weakens its locks or syncs, `header::check` has held the file's length against its meta
    // page, and nothing in this crate writes to the file but through LMDB.
    unsafe { options.open(dir) }
}

/// Opens the tables, making what is missing, unless the format is a newer one.
fn open_tables<T: Schema>(env: &Env<WithoutTls>, dir: &Path) -> Tried<Tables<T>> {
    let txn = env.write_txn()?;
    let opened = env.create_databases_and_commit(txn, |open, txn| {
        let meta = open.create_database(txn, T::NAMES.first().copied())?;
        let mut tables = vec![meta];
        match meta.get(txn, FORMAT)? {
            Some(value) => check_format(value, dir)?,
            None => meta.put(txn, FORMAT, &*codec::number(limits::FORMAT))?,
        }
        for name in T::NAMES.iter().skip(1) {
            tables.push(open.create_database(txn, Some(name))?);
        }
        Ok::<_, Fault>(CommitOrAbort::<_, ()>::Commit(OpenedTables(tables)))
    })?;
    Ok(Tables::new(opened.commit().unwrap_or_default()))
}

fn check_format(value: &[u8], dir: &Path) -> Result<()> {
    match codec::read_number(value) {
        Some(known) if known <= limits::FORMAT => Ok(()),
        Some(newer) => Err(Error::Unusable(format!(
            "{} was written by a newer version of waypost (format {newer}, this binary knows {})",
            dir.display(),
            limits::FORMAT
        ))),
        None => Err(corrupt("meta", format_args!("{}: no format number", dir.display()))),
    }
}

/// Counts this process's commits, for those who wait for the next one.
#[derive(Default)]
struct Pulse {
    beats: Mutex<u64>,
    beaten: Condvar,
}

impl Pulse {
    fn beat(&self) {
        *self.beats.lock() += 1;
        self.beaten.notify_all();
    }

    fn wait(&self, until: Instant, look: impl FnOnce() -> Result<bool>) -> Result<()> {
        let mut beats = self.beats.lock();
        if !look()? {
            let _ = self.beaten.wait_until(&mut beats, until);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "environment_tests.rs"]
mod tests;
