//! Why the engine can't be started.

use std::path::{Path, PathBuf};

/// Why the engine can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] waypost_storage::Error),
    /// The store can't be asked, and there is no snapshot to start from.
    #[error("{error}; {} holds no snapshot to start from", dir.display())]
    NoSnapshot {
        /// Why the store can't be asked.
        error: waypost_storage::Error,
        /// The data directory.
        dir: PathBuf,
    },
    /// The data directory belongs to another store.
    #[error(
        "{} holds the snapshot, and perhaps clicks, of another store; \
         use another data directory, or remove this one if it is of no use any more",
        .0.display()
    )]
    Foreign(PathBuf),
    /// The click journal can't be opened.
    #[error(transparent)]
    Journal(#[from] waypost_clicks::StartError),
    /// Another server works on this data directory.
    #[error("{} is in use by another server", .0.display())]
    InUse(PathBuf),
    /// The system said no.
    #[error("{}: {error}", path.display())]
    Io {
        /// Where.
        path: PathBuf,
        /// What it said.
        error: std::io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: &Path, error: std::io::Error) -> Self {
        Self::Io { path: path.to_owned(), error }
    }
}
