//! What goes wrong inside a transaction, before it is put in the contract's words.

use std::path::Path;

use heed::MdbError;
use waypost_storage::Error;

/// Why a step of a transaction failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The answer to the caller: nothing was written, the transaction can go on.
    Refused(Error),
    /// LMDB's own: the transaction can't go on.
    Broken(heed::Error),
}

/// The result of a step.
pub(crate) type Tried<T> = Result<T, Fault>;

impl From<heed::Error> for Fault {
    fn from(error: heed::Error) -> Self {
        Self::Broken(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// A value of `table` that can't be what was written.
pub(crate) fn corrupt(table: &str, what: impl std::fmt::Display) -> Error {
    Error::Corrupt(format!("{table}: {what}"))
}

/// What the caller is told of LMDB's `error` in the environment at `path` with this map.
pub(crate) fn explain(error: &heed::Error, path: &Path, map_size: u64) -> Error {
    let path = path.display();
    match error {
        heed::Error::Mdb(MdbError::MapFull) => Error::Full(format!(
            "the map of {path} is full at {map_size} bytes; raise map_size and restart"
        )),
        heed::Error::Mdb(
            MdbError::Corrupted
            | MdbError::PageNotFound
            | MdbError::Invalid
            | MdbError::Incompatible
            | MdbError::CursorFull,
        ) => Error::Corrupt(format!("{path}: {error}")),
        heed::Error::Mdb(MdbError::VersionMismatch) => {
            Error::Unusable(format!("{path} was written by another version of LMDB"))
        }
        heed::Error::Mdb(MdbError::MapResized) => Error::Unavailable(format!(
            "{path}: another process uses a larger map; restart with its map_size"
        )),
        heed::Error::Mdb(MdbError::ReadersFull) => {
            Error::Unavailable(format!("{path}: too many reads at a time"))
        }
        heed::Error::EnvAlreadyOpened => {
            Error::Unusable(format!("{path} is already open in this process"))
        }
        heed::Error::Io(io) if is_full(io) => Error::Full(format!("{path}: {io}")),
        _ => Error::Unavailable(format!("{path}: {error}")),
    }
}

/// Whether nothing may be written any more after this error of a commit: what the disk holds is
/// not known until the environment is opened anew.
pub(crate) fn stops(error: &heed::Error) -> bool {
    match error {
        heed::Error::Io(io) => !is_full(io) && io.raw_os_error() != Some(libc::ENOMEM),
        heed::Error::Mdb(error) => *error == MdbError::Panic,
        _ => false,
    }
}

/// A full disk, quota or file size limit.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC | libc::EDQUOT | libc::EFBIG))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stops_the_writer_and_what_is_told() {
        let io = |code| heed::Error::Io(std::io::Error::from_raw_os_error(code));
        let told = |error: &heed::Error| match explain(error, Path::new("/d"), 1) {
            Error::Full(_) => "full",
            Error::Unavailable(_) => "unavailable",
            Error::Corrupt(_) => "corrupt",
            Error::Unusable(_) => "unusable",
            _ => "other",
        };
        for (error, stop, word) in [
            (io(libc::ENOSPC), false, "full"),
            (io(libc::EDQUOT), false, "full"),
            (io(libc::EFBIG), false, "full"),
            (io(libc::EIO), true, "unavailable"),
            (io(libc::EROFS), true, "unavailable"),
            (heed::Error::Mdb(MdbError::Panic), true, "unavailable"),
            (heed::Error::Mdb(MdbError::MapFull), false, "full"),
            (heed::Error::Mdb(MdbError::Corrupted), false, "corrupt"),
            (heed::Error::Mdb(MdbError::VersionMismatch), false, "unusable"),
            (heed::Error::Mdb(MdbError::ReadersFull), false, "unavailable"),
        ] {
            assert_eq!((stops(&error), told(&error)), (stop, word), "{error}");
        }
    }
}
