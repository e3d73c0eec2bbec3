//! What a stranger can make this crate do, and where it ends.

/// Bytes of a header that are read; the rest is ignored. In-app browsers, the wordiest honest senders, stay under
/// 600.
pub const SCANNED_BYTES: usize = 1024;

/// Sets of a [`Cache`](crate::Cache): a power of two.
pub const CACHE_SETS: usize = 1024;

/// User agents kept per set. A cache takes `CACHE_SETS * CACHE_WAYS * 16` bytes: 128 KiB.
pub const CACHE_WAYS: usize = 8;

/// The part of `ua` that is read.
pub(crate) fn scanned(ua: &[u8]) -> &[u8] {
    ua.get(..SCANNED_BYTES).unwrap_or(ua)
}
