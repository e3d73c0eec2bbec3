//! Bounds of the edge.

/// Most bytes of a posted password form.
pub const FORM_BYTES: u64 = 8 * 1024;
/// Most `X-Forwarded-For` fields looked at; a request with more is taken as not forwarded by
/// those before them.
pub const FORWARDED_FIELDS: usize = 8;
/// Groups of counters: workers past this share.
pub const SHARDS: usize = 64;
