//! Whose turn it is to edit small objects: a lock between threads, and a file's between processes.
//!
//! The file's lock goes with its process, however that ends.

use std::{
    fs::{File, TryLockError},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use waypost_storage::{Error, Result};

use crate::limits::TURN;

/// How often it is looked whether another process is done.
const LOOK: Duration = Duration::from_millis(2);

/// The lock of a store.
#[derive(Debug)]
pub(crate) struct Turn(Mutex<File>);

impl Turn {
    /// That of the store in `dir`.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        let path = dir.join("turn");
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let failed = |error| Error::Unusable(format!("{}: {error}", path.display()));
        file.map(|file| Self(Mutex::new(file))).map_err(failed)
    }

    /// Runs `edit` once it is its turn.
    pub(crate) fn take(&self, edit: &mut dyn FnMut()) -> Result<()> {
        let late = || Error::Unavailable("others take too long to edit".to_owned());
        let end = Instant::now() + TURN;
        let file = self.0.try_lock_until(end).ok_or_else(late)?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => thread::sleep(LOOK),
                Err(TryLockError::WouldBlock) => return Err(late()),
                Err(TryLockError::Error(error)) => {
                    return Err(Error::Unavailable(error.to_string()));
                }
            }
        }
        let _unlocks = Unlocks(&file);
        edit();
        Ok(())
    }
}

/// Lets the file go, also where an edit panics.
struct Unlocks<'f>(&'f File);

impl Drop for Unlocks<'_> {
    fn drop(&mut self) {
        // Where that fails the file stays locked, and whoever waits says so.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_processes_take_turns() {
        let dir = tempfile::tempdir().unwrap();
        // Each with a file of its own, as processes have.
        let (one, other) = (Turn::open(dir.path()).unwrap(), Turn::open(dir.path()).unwrap());
        let inside = Mutex::new(());
        let edit = || drop(inside.try_lock().expect("alone"));
        thread::scope(|scope| {
            for turn in [&one, &other, &one] {
                scope.spawn(|| (0..20).for_each(|_| turn.take(&mut || edit()).unwrap()));
            }
        });
    }
}
