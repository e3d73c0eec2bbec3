//! Why the engine can't be started.

use std::path::{Path, PathBuf};

/// Why the engine can't be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The store said no.
    #[error(transparent)]
    Store(#[from] waypost_storage::Error),
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
