//! The bounds of the index's own structures. Links and records are bounded by the store.
//!
//! Those of a model are small, so that all of them are met within a few steps.

/// Independent tables. A rebuild touches one of them: 0.4 % of all links. Under miri, making 256 takes minutes.
pub const SHARDS: usize = if cfg!(feature = "model") {
    1
} else if cfg!(miri) {
    4
} else {
    256
};
/// Slots that share a cache line.
pub const GROUP: usize = 12;
/// Lookups whose memory is asked for at once, at most.
pub const PREFETCHED_AT_ONCE: usize = 32;
/// Lines that a lookup visits before the table would rather have been rebuilt larger.
pub const PROBES: usize = 32;
/// Chunks of an arena after its first; when all are full, the table is rebuilt.
pub const CHUNKS: usize = 15;
/// Smallest chunk that an arena grows by, in bytes.
pub const CHUNK_BYTES: usize = if cfg!(feature = "model") { 128 } else { 1024 };
/// An arena grows by at least this part of its first chunk.
pub const CHUNK_PART: usize = 32;
/// A table is rebuilt when more than this part of the live bytes is waste…
pub const WASTE_PART: usize = 16;
/// …and more than this many bytes, so that small tables aren't rebuilt all the time.
pub const WASTE_BYTES: usize = if cfg!(feature = "model") { 128 } else { 1024 };
/// While an index is loaded, a table that is full is rebuilt for this many times its entries.
pub const LOADING_ROOM: usize = 4;
/// What tables stand on is bought in multiples of this, in bytes: the huge page of most machines. Miri follows every byte.
pub const HUGE_PAGE: usize = if cfg!(miri) { 1 << 15 } else { 2 << 20 };
/// A loaded index whose entries are fewer bytes has no huge pages: it would waste a good part of them.
pub const SETTLED_BYTES: usize = 16 * HUGE_PAGE;
/// Tables that are given the size they need before those that they replace go: more are more memory.
pub const SETTLED_AT_ONCE: usize = 16;
/// At least this part of what is held is bought at once.
pub const SLAB_PART: usize = 16;
/// Smaller blocks, in bytes, are left to the allocator.
pub const SMALL_BLOCK: usize = 4096;
