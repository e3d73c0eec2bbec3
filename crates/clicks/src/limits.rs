//! Bounds of the click pipeline: what a flood of clicks, a slow disk or a lost store can grow.

use std::time::Duration;

/// Bytes of a buffer in which clicks travel from a worker to the writer: about 150 clicks.
#[cfg(not(feature = "model"))]
pub const BUFFER: usize = 32 * 1024;
/// Bytes of a buffer in a model: the longest click fits, and after it no other.
#[cfg(feature = "model")]
pub const BUFFER: usize = CLICK + 256;
/// Bytes of all buffers by default: half a second of 300,000 clicks a second.
pub const QUEUE_BYTES: usize = 64 << 20;
/// Buffers emptied last, handed out first: they are still in the cache.
pub const WARM: usize = 16;
/// Most lanes: more workers than this share them.
pub const LANES: usize = 1_024;

/// Longest user agent taken, in bytes; the rest is cut.
pub const USER_AGENT: usize = waypost_storage::limits::USER_AGENT;
/// Longest referrer taken, in bytes: scheme, host and port are well in front of this.
pub const REFERRER: usize = 320;
/// Longest list of languages taken, in bytes: only its first choice is kept.
pub const LANGUAGE: usize = 64;
/// Longest identifier of a rule taken, in bytes.
pub const RULE: usize = waypost_link::limits::RULE_ID_BYTES;
/// Most bytes of one click in a buffer.
pub const CLICK: usize = 64 + USER_AGENT + REFERRER + LANGUAGE + RULE;

/// Values of a header that are remembered with what is kept of them: 16 MiB a header at the most.
pub const MEMO: usize = 16 * 1024;

/// Most clicks of a journal frame.
pub const FRAME_CLICKS: usize = 16 * 1024;
/// A frame is closed when it has this many bytes.
pub const FRAME_BYTES: usize = 1 << 20;
/// No frame has more bytes: what a reader believes of a length.
pub const FRAME_MOST: usize = 2 << 20;
/// Shipped frames whose memory is kept for the next ones.
pub const SPARE_FRAMES: usize = 4;
/// Bytes after which a journal segment is followed by the next.
pub const SEGMENT_BYTES: u64 = 64 << 20;
/// Most bytes of the journal by default; past it the oldest segments are dropped.
pub const JOURNAL_BYTES: u64 = 4 << 30;
/// Bytes of batches that wait for the store in memory by default; more wait in the journal alone.
pub const BACKLOG_BYTES: usize = 64 << 20;

/// First pause after the store refused a batch; it doubles up to [`RETRY_MOST`].
pub const RETRY_FIRST: Duration = Duration::from_millis(10);
/// Longest pause between two tries.
pub const RETRY_MOST: Duration = Duration::from_secs(1);
/// Pause before the journal is tried again after an I/O error.
pub const REOPEN: Duration = Duration::from_millis(500);
/// Log lines about the same trouble are at least this far apart.
pub const LOG_EVERY: Duration = Duration::from_secs(1);
/// The store is asked to flush so often when there is little to do: readers in other processes
/// see clicks within a second.
pub const FLUSH_OFTEN: Duration = Duration::from_millis(500);
/// And at least so often under load.
pub const FLUSH_SELDOM: Duration = Duration::from_secs(30);
/// Flushes of a flood are at least this far apart: most floods are over before, and the machine has
/// then nothing else to do.
pub const FLUSH_LATE: Duration = Duration::from_secs(5);
/// Clicks a second up to which there is little to do.
pub const LITTLE: u64 = 10_000;
/// Under load, flushing takes at most this part of the time: one in 50.
pub const FLUSH_SHARE: u32 = 50;
/// How long a stop waits for a thread that is inside the disk or the store.
pub const STOP: Duration = Duration::from_secs(2);
