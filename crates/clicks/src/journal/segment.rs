//! Writes segments: one file at a time, a new one after an error, and what lies in the directory.

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Instant,
};

use waypost_storage::Epoch;

use super::{SEGMENT_HEAD, SegmentName};
use crate::limits;

/// Where segments are written: the file system, or a test's idea of one.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// A new, empty file.
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>>;
}

/// A segment being written.
pub(crate) trait DiskFile: Send + Sync {
    /// Writes all of `bytes` at the end; after an error any part of them may be there.
    fn append(&self, bytes: &[u8]) -> io::Result<()>;
    /// Makes what was written, and the file's name, survive a power cut.
    fn sync(&self) -> io::Result<()>;
    /// Cuts the file to this length.
    fn cut(&self, length: u64) -> io::Result<()>;
}

/// The file system.
#[derive(Debug)]
pub(crate) struct RealDisk;

struct RealFile {
    file: fs::File,
    directory: PathBuf,
    named: AtomicBool,
}

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let file = fs::OpenOptions::new().append(true).create_new(true).open(path)?;
        let directory = path.parent().unwrap_or(path).to_path_buf();
        Ok(Arc::new(RealFile { file, directory, named: AtomicBool::new(false) }))
    }
}

impl DiskFile for RealFile {
    fn append(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.file).write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()?;
        if !self.named.load(Relaxed) {
            sync_dir(&self.directory)?;
            self.named.store(true, Relaxed);
        }
        Ok(())
    }

    fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)
    }
}

/// Makes the names in a directory, and the absence of removed ones, survive a power cut.
pub(crate) fn sync_dir(directory: &Path) -> io::Result<()> {
    fs::File::open(directory)?.sync_all()
}

/// The segments in a directory, oldest first, with their sizes.
pub(crate) fn found(directory: &Path) -> io::Result<Vec<(SegmentName, PathBuf, u64)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if let Some(name) = entry.file_name().to_str().and_then(SegmentName::parse) {
            found.push((name, entry.path(), entry.metadata()?.len()));
        }
    }
    found.sort_by_key(|&(name, ..)| name);
    Ok(found)
}

/// The writer's end of the journal.
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    directory: PathBuf,
    epoch: Epoch,
    started: i64,
    number: u32,
    segment_bytes: u64,
    open: Option<Open>,
    retry: Option<Instant>,
}

struct Open {
    file: Arc<dyn DiskFile>,
    bytes: u64,
}

/// What became of a frame that was written.
pub(crate) struct Written {
    /// Where a new segment was begun for it.
    pub(crate) new: Option<(SegmentName, PathBuf)>,
    /// The segment's file, to be synced.
    pub(crate) file: Arc<dyn DiskFile>,
    /// How many bytes of the segment are good now.
    pub(crate) bytes: u64,
}

impl Journal {
    pub(crate) fn new(
        disk: Arc<dyn Disk>,
        directory: PathBuf,
        epoch: Epoch,
        started: i64,
        segment_bytes: u64,
    ) -> Self {
        let (number, open, retry) = (0, None, None);
        Self { disk, directory, epoch, started, number, segment_bytes, open, retry }
    }

    /// Writes a frame; `None` while an earlier error rests.
    ///
    /// # Errors
    /// The frame is not in the journal, and what went before it is. The next try, after a pause,
    /// begins a new segment.
    pub(crate) fn append(&mut self, frame: &[u8]) -> Option<io::Result<Written>> {
        if self.retry.is_some_and(|retry| Instant::now() < retry) {
            return None;
        }
        let written = self.write(frame);
        self.retry = written.is_err().then(|| Instant::now() + limits::REOPEN);
        Some(written)
    }

    /// Lets the next frame begin a new segment.
    pub(crate) fn leave(&mut self) {
        self.open = None;
    }

    fn write(&mut self, frame: &[u8]) -> io::Result<Written> {
        let full = |open: &Open| open.bytes + frame.len() as u64 > self.segment_bytes;
        if self.open.as_ref().is_some_and(full) {
            self.open = None;
        }
        let mut new = None;
        let mut open = match self.open.take() {
            Some(open) => open,
            None => {
                let (open, name, path) = self.create()?;
                new = Some((name, path));
                open
            }
        };
        if let Err(error) = open.file.append(frame) {
            // Should this fail too, the torn end is known by its checksum.
            let _ = open.file.cut(open.bytes);
            if let Some((_, path)) = new {
                let _ = fs::remove_file(path);
            }
            return Err(error);
        }
        open.bytes += frame.len() as u64;
        let (file, bytes) = (Arc::clone(&open.file), open.bytes);
        self.open = Some(open);
        Ok(Written { new, file, bytes })
    }

    fn create(&mut self) -> io::Result<(Open, SegmentName, PathBuf)> {
        self.number += 1;
        let name = SegmentName { started: self.started, epoch: self.epoch, number: self.number };
        let path = self.directory.join(name.file_name());
        let file = self.disk.create(&path)?;
        if let Err(error) = file.append(&name.header()) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        Ok((Open { file, bytes: SEGMENT_HEAD as u64 }, name, path))
    }
}
