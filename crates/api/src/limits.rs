//! Bounds of the APIs.

/// Most bytes of a body (SPEC 4).
pub const BODY: u64 = 1 << 20;
/// Most bytes of a bulk creation's body (SPEC 4).
pub const BULK_BODY: u64 = 32 << 20;
/// Bodies over [`BODY`] that may be on their way at once (SPEC 4).
pub const LARGE_BODIES: usize = 2;
/// Most fields of a form or query that are looked at; more are refused.
pub const FIELDS: usize = 200;
/// Most `X-Forwarded-For` fields looked at, from the last.
pub const FORWARDED_FIELDS: usize = 8;
/// Longest piece of what was sent that an error repeats, in characters.
pub const QUOTED: usize = 100;
/// Most items of a page.
pub const PAGE: usize = 1_000;
/// Most items of a list that is asked for without `limit` (SPEC 7, 9).
pub const UNPAGED: usize = 10_000;
/// Items of a linktrack page whose length is not said.
pub const DEFAULT_PAGE: usize = 100;
/// Most links, and most groups, that a linktrack list names.
pub const NAMES: usize = 1_000;
/// Most links that are sorted by what no index is kept of.
pub const SORTED: usize = 100_000;
/// Pages read at most for a linktrack history, which may hold clicks that don't count.
pub const HISTORY_PAGES: usize = 64;
/// Conversions that may wait at once for their click to be known.
pub const WAITING: usize = 4;
/// Bytes that are reserved for an answer before it is known how long it is.
pub const ANSWER: usize = 4 << 10;
