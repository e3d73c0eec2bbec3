//! What the disk allows: a commit waits for it, however many share that commit.

use crate::figure::{Figure, Goal, percentile};
use anyhow::Result;
use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::Instant;

/// Writes that are timed.
const WRITES: usize = 200;
const PAGE: [u8; 4096] = [1; 4096];

/// The time until a page is on the disk.
pub(super) fn measure(folder: &Path) -> Result<Vec<Figure>> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&PAGE)?;
    file.sync_all()?;
    let mut took = Vec::new();
    for _ in 0..WRITES {
        file.rewind()?;
        file.write_all(&PAGE)?;
        let start = Instant::now();
        file.sync_data()?;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    Ok(vec![Figure {
        what: "this disk's fdatasync of a page".into(),
        value: percentile(&took, 0.5)?,
        goal: Goal::None,
        unit: "ms",
    }])
}
