//! Where an export goes: a file that appears whole or not at all, or a stream.

use std::{
    fs::{File, Permissions},
    io::{self, BufWriter, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::STANDARD;

/// Bytes written at once.
const WRITE_BYTES: usize = 256 << 10;

/// Where an export goes.
pub(super) enum Target {
    /// Standard output, a pipe or a device.
    Stream(Box<dyn Write>),
    /// A file beside the one it will replace.
    File(BufWriter<NamedTempFile>, PathBuf),
}

impl Target {
    /// The target of this name.
    ///
    /// # Errors
    /// Nothing can be written there.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path == Path::new(STANDARD) {
            let out = BufWriter::with_capacity(WRITE_BYTES, io::stdout());
            return Ok(Self::Stream(Box::new(out)));
        }
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            let file = File::options().write(true).open(path)?;
            return Ok(Self::Stream(Box::new(BufWriter::with_capacity(WRITE_BYTES, file))));
        }
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty());
        let file = tempfile::Builder::new()
            .prefix(".waypost-export-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(dir.unwrap_or(Path::new(".")))?;
        Ok(Self::File(BufWriter::with_capacity(WRITE_BYTES, file), path))
    }

    /// What to write to.
    pub(super) fn writer(&mut self) -> &mut dyn Write {
        match self {
            Self::Stream(out) => out,
            Self::File(file, _) => file,
        }
    }

    /// Everything is written: puts the file in its place.
    ///
    /// # Errors
    /// It can't be written; what was there is still there.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Stream(mut out) => out.flush(),
            Self::File(file, path) => {
                let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.as_file().sync_all()?;
                file.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("links.csv");
        std::fs::write(&path, "old").unwrap();
        let mut target = Target::open(&path).unwrap();
        target.writer().write_all(b"new").unwrap();
        drop(target);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
        let mut target = Target::open(&path).unwrap();
        target.writer().write_all(b"new").unwrap();
        target.finish().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }
}
