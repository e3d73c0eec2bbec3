//! Bounds of the control plane.

/// Links of one commit in a bulk creation or import.
pub const BATCH: usize = 10_000;
/// How often an edit is tried anew when somebody else changed the object meanwhile.
pub const RETRIES: usize = 16;
/// How often a generated code is drawn anew when it is taken.
pub const DRAWS: usize = 8;
/// Longest password, in bytes.
pub const PASSWORD: usize = 1_024;
/// Longest name of a workspace, in bytes.
pub const NAME: usize = 64;
/// Longest label of a key, in characters.
pub const LABEL: usize = 80;
/// Longest name or value of a workspace's setting, in bytes.
pub const SETTING: usize = 2_048;
/// Most settings of a workspace.
pub const SETTINGS: usize = 100;
/// Shortest token that may be given by hand, in characters.
pub const TOKEN: usize = 16;
/// Most days of a statistic: a hundred years.
pub const DAYS: usize = 36_525;
/// Most links whose clicks are merged in one statistic.
pub const MERGED: usize = 10_000;
/// Most links that are sorted by their clicks (DESIGN "Storage").
pub const RANKED: usize = 100_000;
/// How many of a workspace's links an overview looks at, newest first.
pub const SURVEYED: usize = 100_000;
/// Links in a list of the best.
pub const TOP_LINKS: usize = 5;
/// Newest clicks that a page of statistics shows.
pub const RECENT: usize = 25;
/// Pages read at most to find the newest clicks that count.
pub const NEWEST_PAGES: usize = 64;
/// Keys whose last use is remembered in memory, so that it is written at most once a minute.
pub const TOUCHED: usize = 4_096;
/// Sets of rate limit buckets.
pub const QUOTA_SETS: usize = 1 << 13;
/// Buckets of a set: with [`QUOTA_SETS`], 65,536 in all, a megabyte.
pub const QUOTA_WAYS: usize = 8;
/// Longest `Idempotency-Key`, in bytes.
pub const IDEMPOTENCY_KEY: usize = 255;
/// How long an `Idempotency-Key` is remembered, in microseconds: a day.
pub const IDEMPOTENCY: i64 = waypost_link::Timestamp::DAY;
