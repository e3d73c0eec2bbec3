//! Bounds of the clicks half, each with what sets it.

/// Clicks that are sorted at once.
pub(super) const SEGMENT: usize = 1 << 18;
/// Most clicks in memory, 40 bytes each: more and `append` flushes first, however long that takes.
pub(super) const MEMORY_CLICKS: usize = 4 << 20;
/// Most bytes of texts in memory, which strangers choose.
pub(super) const MEMORY_TEXTS: usize = 64 << 20;
/// Bytes of a block of raw clicks: fills four LMDB pages with its header.
pub(super) const BLOCK: usize = 16_000;
/// Most clicks of one link in a block; a link with more than half has blocks of its own.
pub(super) const BLOCK_CLICKS: usize = 640;
/// Texts of a dictionary in one value: user agents fill about four LMDB pages.
pub(super) const TEXTS: u32 = 128;
/// Hour buckets that a flush rolls up at least, into days and all time.
pub(super) const ROLL: usize = 4_096;
/// Buckets and blocks that a page of raw clicks looks at before it is cut short.
pub(super) const SCAN: usize = 20_000;
/// Hours of a link, blocks or events that one commit of a trim takes away.
pub(super) const TRIM: usize = 4_096;
/// Links whose sums a check holds in memory; more are checked in turns.
pub(super) const CHECK_LINKS: usize = 1 << 20;
