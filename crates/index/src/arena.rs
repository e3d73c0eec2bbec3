//! Append-only bytes that many threads read while one appends.
//!
//! A handful of chunks, each allocated once and never moved: what was handed out stays where it
//! is until the whole arena goes. An arena is only appended to by the one [`Appender`] made with
//! it, and bytes are written before their [`Location`] exists, so nobody can read what is still
//! being written. It never frees or overwrites: waste goes with the table.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use crate::{
    limits::{CHUNK_BYTES, CHUNK_PART, CHUNKS},
    sync::OnceLock,
};

/// Where appended bytes begin: a chunk and an offset in it, in 36 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location(u64);

impl Location {
    /// Bits that a location takes.
    pub(crate) const BITS: u32 = 36;

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    const fn of(chunk: usize, offset: usize) -> Self {
        Self((chunk as u64) << 32 | offset as u64)
    }

    const fn chunk(self) -> usize {
        (self.0 >> 32) as usize
    }

    const fn offset(self) -> usize {
        (self.0 & u32::MAX as u64) as usize
    }
}

struct Chunk(Box<[UnsafeCell<u8>]>);

// SAFETY: the only writer is the arena's one Appender; it writes each byte at most once, before
// the byte's location is published with release ordering, and readers learn locations with
// acquire ordering; so no byte is ever written while another thread reads it.
unsafe impl Sync for Chunk {}

/// The readers' side.
pub(crate) struct Arena {
    chunks: [OnceLock<Chunk>; CHUNKS],
}

/// The writer's side: knows how far each chunk is filled. Not `Clone`: one an arena.
pub(crate) struct Appender {
    chunk: usize,
    used: usize,
    capacity: usize,
    total: usize,
}

impl Arena {
    /// An arena whose first chunk holds exactly `bytes`.
    pub(crate) fn new(bytes: usize) -> (Self, Appender) {
        let arena = Self { chunks: [const { OnceLock::new() }; CHUNKS] };
        let capacity = arena.allocate(0, bytes.min(u32::MAX as usize));
        (arena, Appender { chunk: 0, used: 0, capacity, total: capacity })
    }

    /// What begins at `at`; nothing where there is no such place.
    #[inline]
    pub(crate) fn at(&self, at: Location) -> Bytes<'_> {
        let chunk = self.chunks.get(at.chunk()).and_then(OnceLock::get);
        Bytes(chunk.and_then(|chunk| chunk.0.get(at.offset()..)).unwrap_or_default())
    }

    fn allocate(&self, chunk: usize, bytes: usize) -> usize {
        let cells = (0..bytes).map(|_| UnsafeCell::new(0)).collect();
        self.chunks[chunk].get_or_init(|| Chunk(cells)).0.len()
    }
}

/// The bytes from a location to the end of its chunk, of which only appended ones may be read.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a>(&'a [UnsafeCell<u8>]);

impl<'a> Bytes<'a> {
    /// The `length` bytes from `from`, which must lie within what was appended at the location;
    /// empty where they aren't.
    #[inline]
    pub(crate) fn read(self, from: usize, length: usize) -> &'a [u8] {
        match self.0.get(from..).and_then(|rest| rest.get(..length)) {
            // SAFETY: the range is in bounds and initialised (chunks start zeroed), UnsafeCell<u8>
            // has the layout of u8, and published bytes are never written again.
            Some(cells) => unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), length) },
            None => &[],
        }
    }

    /// Asks for the cache line after the first, before the first says how long the entry is: most
    /// entries span two, and would else wait for memory twice.
    #[inline]
    pub(crate) fn prefetch(self) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            let next = self.0.as_ptr().wrapping_byte_add(64);
            // SAFETY: a prefetch is a hint that reads nothing and never faults.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(next.cast()) };
        }
    }
}

impl Appender {
    /// Copies `bytes` to the end of `arena`, which must be the one this was made with. `None`
    /// where all chunks are full.
    pub(crate) fn append(&mut self, arena: &Arena, bytes: &[u8], live: usize) -> Option<Location> {
        if self.capacity - self.used < bytes.len() {
            self.grow(arena, bytes.len(), live)?;
        }
        let cells = &arena.chunks[self.chunk].get()?.0[self.used..][..bytes.len()];
        // SAFETY: the cells are in bounds and beyond everything appended so far, so no reader has
        // a location there; `&mut self` shuts out a second writer; `bytes` is another allocation.
        unsafe {
            let to = UnsafeCell::raw_get(cells.as_ptr());
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        let at = Location::of(self.chunk, self.used);
        self.used += bytes.len();
        Some(at)
    }

    /// Bytes of all chunks.
    pub(crate) fn allocated(&self) -> usize {
        self.total
    }

    fn grow(&mut self, arena: &Arena, least: usize, live: usize) -> Option<()> {
        if self.chunk + 1 == CHUNKS {
            return None;
        }
        let bytes = (live / CHUNK_PART).clamp(CHUNK_BYTES, u32::MAX as usize).max(least);
        self.chunk += 1;
        self.used = 0;
        self.capacity = arena.allocate(self.chunk, bytes);
        self.total += self.capacity;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_appended_stays() {
        let (arena, mut appender) = Arena::new(10);
        let mut kept = Vec::new();
        for n in 0..150u8 {
            let bytes = vec![n; n as usize];
            kept.push((appender.append(&arena, &bytes, 0).unwrap(), bytes));
        }
        for (at, bytes) in &kept {
            assert_eq!(arena.at(*at).read(0, bytes.len()), &bytes[..]);
            assert_eq!(Location::from_bits(at.bits()), *at);
        }
    }

    #[test]
    fn full_is_said_and_places_that_do_not_exist_are_empty() {
        let (arena, mut appender) = Arena::new(0);
        let big = vec![7; CHUNK_BYTES];
        for _ in 1..CHUNKS {
            assert!(appender.append(&arena, &big, 0).is_some());
        }
        assert_eq!(appender.append(&arena, &big, 0), None);
        assert_eq!(appender.allocated(), CHUNK_BYTES * (CHUNKS - 1));
        assert!(arena.at(Location::of(1, CHUNK_BYTES)).read(0, 1).is_empty());
        assert!(arena.at(Location::of(0, 0)).read(0, 1).is_empty());
    }
}
