//! Bounds of the contract.

use std::time::Duration;

/// Most items of a page.
pub const PAGE: usize = 10_000;
/// Most changes of a commit: a bulk creation of 10,000 links and what goes with it.
pub const CHANGES: usize = 20_000;
/// Most values of a dimension in a bucket; the rest is gathered as `Other`.
pub const VALUES: usize = 200;
/// Longest key of a claim, in bytes; longer ones are hashed.
pub const CLAIM: usize = 511;
/// Most findings of a report.
pub const FINDINGS: usize = 1_000;
/// Most clicks of a batch.
pub const BATCH_CLICKS: usize = 1 << 20;
/// Most bytes of a batch.
pub const BATCH_BYTES: usize = 64 << 20;
/// Clicks a second up to which other processes see them within a second (SPEC 4). Of more, a store
/// may write many at a time.
pub const FLOOD: u64 = 50_000;
/// How long clicks are counted before it is said how fast they come.
pub const PACE: Duration = Duration::from_millis(500);
/// Longest user agent kept, in bytes.
pub const USER_AGENT: usize = 512;
/// Longest referrer host kept, in bytes.
pub const REFERRER: usize = 253;
/// Longest language kept, in bytes.
pub const LANGUAGE: usize = 35;
/// How long the feed is kept, in seconds.
pub const FEED_SECONDS: i64 = 24 * 3_600;
