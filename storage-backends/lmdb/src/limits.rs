//! Bounds of the backend, each with what sets it.

use std::time::Duration;

/// The newest format of a data directory that this version reads and writes.
pub const FORMAT: u64 = 1;
/// Address space of an environment unless set otherwise: 256 GiB. A file grows as it is needed.
pub const MAP_SIZE: u64 = 256 << 30;
/// What maps are rounded up to: a multiple of every page size in use.
pub const MAP_STEP: u64 = 64 << 10;
/// Read transactions at a time, over all processes.
pub const READERS: u32 = 1_024;
/// How often the slots of readers that died are cleared.
pub const STALE_READERS: Duration = Duration::from_secs(60);
/// Longest key of LMDB, in bytes.
pub const KEY: usize = 511;
const _: () = assert!(waypost_storage::limits::CLAIM <= KEY, "a claim is a key");
/// So many jobs don't wait for others to share their commit, however short it is after the one before.
pub const ENOUGH: usize = 12;
/// Commits that are kept apart take one part of the time in so many, unless that many jobs wait.
pub const REST: u32 = 12;
/// They are kept apart by so many times their interval at most.
pub const STRETCH: u32 = 6;
/// Most jobs that share a commit.
pub const GROUP: usize = 256;
/// Most entries that a page of an answer reads.
pub const SCAN: usize = 10_000;
/// Most bytes of stored values that a page of an answer reads; at least one value is.
pub const PAGE_BYTES: usize = 32 << 20;
/// Bytes of a feed entry in one value: two values fill an LMDB page of 4 KiB.
pub const FEED_CHUNK: usize = 2_000;
/// Most entries that one commit of `forget` takes away.
pub const FORGET: usize = 20_000;
/// How often other processes' commits are looked for while waiting.
pub const POLL: Duration = Duration::from_millis(20);
/// How much room a disk must have for a failed write to be called anything but a full disk.
pub const ROOM: u64 = 1 << 20;
/// How long an edit of a small object waits for its turn.
pub const TURN: std::time::Duration = std::time::Duration::from_secs(5);
