//! Bounds of the clicks half, each with what sets it. Tests use tiny ones, to reach them.

/// Clicks that are sorted at once.
pub(super) const SEGMENT: usize = bound(1 << 17, 16);
/// Most clicks in memory, 40 bytes each: more and `append` flushes first, however long that takes.
pub(super) const MEMORY_CLICKS: usize = bound(4 << 20, 400);
/// Most bytes of texts in memory, which strangers choose.
pub(super) const MEMORY_TEXTS: usize = bound(64 << 20, 4 << 10);
/// Bytes of a block of raw clicks: fills four LMDB pages with its header.
pub(super) const BLOCK: usize = bound(16_000, 200);
/// Most clicks of one link in a block; a link with more than half has blocks of its own.
pub(super) const BLOCK_CLICKS: usize = bound(640, 6);
/// Texts of a dictionary in one value: user agents fill about four LMDB pages.
pub(super) const TEXTS: u32 = bound(128, 2) as u32;
/// Hour buckets that a flush rolls up at least, into days and all time.
pub(super) const ROLL: usize = bound(4_096, 1);
/// Hour buckets that recording events rolls up at most.
pub(super) const ROLL_EVENTS: usize = bound(16, 1);
/// Hours that a page of raw clicks looks at, and buckets that one of counts by link does, before
/// it is cut short.
pub(super) const SCAN: usize = bound(20_000, 3);
/// Hours of a link, blocks or events that one commit of a trim takes away.
pub(super) const TRIM: usize = bound(4_096, 2);
/// Links whose sums a check holds in memory; more are checked in turns.
pub(super) const CHECK_LINKS: usize = bound(1 << 20, 2);

const fn bound(real: usize, in_tests: usize) -> usize {
    if cfg!(test) { in_tests } else { real }
}
