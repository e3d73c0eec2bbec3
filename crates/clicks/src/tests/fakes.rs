//! A sink and a disk that fail on purpose.

use std::{
    collections::HashMap,
    io,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering::SeqCst},
    },
};

use parking_lot::{Condvar, Mutex};
use waypost_link::{ClickId, Timestamp};
use waypost_storage::{Appended, Batch, Epoch, Error, Mark, Result, Sink};

use crate::journal::{Disk, DiskFile, RealDisk};

/// A sink that counts every click by its name, and behaves badly when told to.
#[derive(Default)]
pub(super) struct Shelf {
    pub(super) state: Mutex<Shelved>,
    opened: Condvar,
}

#[derive(Default)]
pub(super) struct Shelved {
    pub(super) clicks: HashMap<ClickId, u32>,
    pub(super) marks: HashMap<Epoch, u64>,
    pub(super) durable: HashMap<Epoch, u64>,
    pub(super) forgotten: Vec<Epoch>,
    /// Every append is refused.
    pub(super) away: bool,
    /// So many appends take the batch and say that they did not.
    pub(super) deaf: u32,
    /// Appends don't return.
    pub(super) stuck: bool,
    /// Flushes fail.
    pub(super) unflushable: bool,
    /// The oldest click that statistics don't show.
    pub(super) behind: Option<Timestamp>,
}

impl Shelf {
    pub(super) fn with(change: impl FnOnce(&mut Shelved)) -> Arc<Self> {
        let shelf = Arc::new(Self::default());
        shelf.set(change);
        shelf
    }

    pub(super) fn set(&self, change: impl FnOnce(&mut Shelved)) {
        change(&mut self.state.lock());
        self.opened.notify_all();
    }

    /// The links clicked, each click once.
    pub(super) fn links(&self) -> Vec<u64> {
        let state = self.state.lock();
        assert!(state.clicks.values().all(|&times| times == 1), "a click was counted twice");
        let mut links: Vec<_> = state.clicks.keys().map(|id| id.link.0).collect();
        links.sort_unstable();
        links
    }
}

impl Sink for Shelf {
    fn append(&self, mark: Mark, batch: &Batch) -> Result<Appended> {
        let mut state = self.state.lock();
        while state.stuck {
            self.opened.wait(&mut state);
        }
        if state.away {
            return Err(Error::Unavailable("away".into()));
        }
        let last = state.marks.entry(mark.epoch).or_default();
        if mark.sequence <= *last {
            return Ok(Appended::Duplicate);
        }
        *last = mark.sequence;
        for row in batch.rows() {
            *state.clicks.entry(row.unwrap().id).or_default() += 1;
        }
        if state.deaf > 0 {
            state.deaf -= 1;
            return Err(Error::Unavailable("what did you say?".into()));
        }
        Ok(Appended::Fresh { discarded: 0 })
    }

    fn durable(&self, epoch: Epoch) -> Result<u64> {
        Ok(self.state.lock().durable.get(&epoch).copied().unwrap_or(0))
    }

    fn behind(&self) -> Option<Timestamp> {
        self.state.lock().behind
    }

    fn flush(&self) -> Result<()> {
        let mut state = self.state.lock();
        if state.unflushable || state.away {
            return Err(Error::Unavailable("can't flush".into()));
        }
        state.durable = state.marks.clone();
        Ok(())
    }

    fn forget_epoch(&self, epoch: Epoch) -> Result<()> {
        let mut state = self.state.lock();
        state.marks.remove(&epoch);
        state.durable.remove(&epoch);
        state.forgotten.push(epoch);
        Ok(())
    }
}

/// A disk with so many bytes left; it writes what still fits of an append, as disks do.
#[derive(Clone, Debug, Default)]
pub(super) struct SmallDisk {
    pub(super) room: Arc<AtomicI64>,
    /// So many syncs fail.
    pub(super) bad_syncs: Arc<AtomicI64>,
}

struct SmallFile(Arc<dyn DiskFile>, SmallDisk);

impl Disk for SmallDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(SmallFile(RealDisk.create(path)?, self.clone())))
    }
}

impl DiskFile for SmallFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        let room = self.1.room.fetch_sub(bytes.len() as i64, SeqCst).max(0) as usize;
        self.0.append(&bytes[..bytes.len().min(room)])?;
        if room < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&self) -> io::Result<()> {
        if self.1.bad_syncs.fetch_sub(1, SeqCst) > 0 {
            Err(io::Error::other("EIO"))
        } else {
            Ok(())
        }
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.0.cut(length)
    }
}
