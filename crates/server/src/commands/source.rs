//! Where links are read from: a file, or standard input.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use super::STANDARD;

/// Bytes read at once.
const READ_BYTES: usize = 256 << 10;

/// What to read, and its size where that is known.
///
/// # Errors
/// There is no such file, or it can't be read.
pub(super) fn open(file: &Path) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file == Path::new(STANDARD) {
        return Ok((Box::new(io::stdin()), None));
    }
    let from = File::open(file)?;
    let meta = from.metadata()?;
    if meta.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((Box::new(from), meta.is_file().then_some(meta.len())))
}

/// Read in large pieces.
pub(super) fn buffered<R: Read>(from: R) -> BufReader<R> {
    BufReader::with_capacity(READ_BYTES, from)
}
