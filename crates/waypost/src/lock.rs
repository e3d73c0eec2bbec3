//! One server a data directory: an exclusive lock, held by a file descriptor and so released by
//! the kernel however the process ends.

use std::{
    fs::{File, TryLockError},
    path::Path,
};

use crate::Error;

/// The lock, held until it is dropped.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "it is held, not used")] File);

impl Lock {
    /// Takes the lock of `dir`.
    ///
    /// # Errors
    /// [`Error::InUse`] where another server has it, [`Error::Io`].
    pub fn take(dir: &Path) -> Result<Self, Error> {
        let failed = |error| Error::io(dir, error);
        std::fs::create_dir_all(dir).map_err(failed)?;
        let path = dir.join("lock");
        let file = File::options().create(true).truncate(false).write(true).open(path);
        let file = file.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::InUse(dir.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time() {
        let dir = std::env::temp_dir().join(format!("waypost-lock-{}", std::process::id()));
        let held = Lock::take(&dir).unwrap();
        assert!(matches!(Lock::take(&dir), Err(Error::InUse(_))));
        drop(held);
        assert!(Lock::take(&dir).is_ok());
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
