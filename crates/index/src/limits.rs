//! The bounds of the index's own structures. Links and records are bounded by the store.

/// Independent tables. A rebuild touches one of them: 0.4 % of all links.
pub const SHARDS: usize = 256;
/// Slots that share a cache line.
pub const GROUP: usize = 8;
/// Lines that a lookup visits before the table would rather have been rebuilt larger.
pub const PROBES: usize = 32;
/// Chunks of an arena; when all are full, the table is rebuilt.
pub const CHUNKS: usize = 16;
/// Smallest chunk that an arena grows by, in bytes.
pub const CHUNK_BYTES: usize = 1024;
/// An arena grows by this part of the bytes that are live.
pub const CHUNK_PART: usize = 32;
/// A table is rebuilt when more than this part of the live bytes is waste…
pub const WASTE_PART: usize = 16;
/// …and more than this many bytes, so that small tables aren't rebuilt all the time.
pub const WASTE_BYTES: usize = 1024;
