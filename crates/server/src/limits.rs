//! Bounds of the server's own queues: threads, and jobs that may wait for them.

/// For the APIs. Mostly they wait for the disk, and those that wait share a commit.
pub(crate) const API_LANE: (usize, usize) = (32, 512);
/// For visitors who must wait: a password's check takes a core and 19 MiB.
pub(crate) const VISITORS_LANE: (usize, usize) = (2, 256);
/// For visitors of limited links who wait for clicks to be lent, each thread at most as long as its visitor does.
pub(crate) const LENDING_LANE: (usize, usize) = (8, 1024);
