//! Append-only bytes that many threads read while one appends.
//!
//! A handful of chunks, each allocated once and never moved: what was handed out stays where it
//! is until the whole arena goes. An arena is only appended to by the one [`Appender`] made with
//! it, and bytes are written before their [`Location`] exists, so nobody can read what is still
//! being written. It never frees or overwrites: waste goes with the table.
//!
//! Locations are small numbers: what is appended begins at multiples of a unit of a few bytes,
//! larger in larger arenas, and chunks after the first are of one size.
#![allow(unsafe_code)]

use std::{cell::UnsafeCell, sync::Arc};

use crate::{
    ground::{Block, Ground},
    limits::{CHUNK_BYTES, CHUNK_PART, CHUNKS},
    sync::{self, OnceLock},
};

/// Where appended bytes begin, in units from the arena's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location(pub(crate) u32);

/// The readers' side.
#[repr(C)]
pub(crate) struct Arena {
    first: Block,
    /// Bytes of a unit, as a power of two.
    unit: u32,
    /// Bytes of a chunk after the first.
    chunk: u32,
    more: [OnceLock<Block>; CHUNKS],
}

/// The writer's side: knows how far the arena is filled. Not `Clone`: one an arena.
pub(crate) struct Appender {
    ground: Arc<Ground>,
    /// Chunks after the first.
    chunks: usize,
    used: usize,
    total: usize,
}

impl Arena {
    /// Smallest unit, as a power of two.
    const UNIT: u32 = 2;

    /// An arena whose first chunk has room for `bytes`.
    pub(crate) fn new(ground: &Arc<Ground>, bytes: usize) -> (Self, Appender) {
        let first = ground.block(bytes);
        let chunk = (bytes / CHUNK_PART).clamp(CHUNK_BYTES, u32::MAX as usize / 2);
        // Locations count on chunks being exactly so large.
        let chunk = ground.size(chunk);
        let all = first.bytes() + CHUNKS * chunk;
        let unit = (usize::BITS - all.leading_zeros()).saturating_sub(u32::BITS).max(Self::UNIT);
        let total = first.bytes();
        let more = [const { OnceLock::new() }; CHUNKS];
        let appender = Appender { ground: Arc::clone(ground), chunks: 0, used: 0, total };
        (Self { first, unit, chunk: chunk as u32, more }, appender)
    }

    /// What begins at `at`; nothing where there is no such place.
    #[inline]
    pub(crate) fn at(&self, at: Location) -> Bytes<'_> {
        let offset = (at.0 as usize) << self.unit;
        match self.first.cells().get(offset..) {
            Some(bytes) if !bytes.is_empty() => Bytes(bytes),
            _ => self.beyond(offset - self.first.bytes()),
        }
    }

    /// What begins so many bytes after the first chunk.
    fn beyond(&self, offset: usize) -> Bytes<'_> {
        let chunk = self.more.get(offset / self.chunk as usize).and_then(OnceLock::get);
        let within = offset % self.chunk as usize;
        Bytes(chunk.and_then(|chunk| chunk.cells().get(within..)).unwrap_or_default())
    }

    /// The bytes that `length` bytes take here.
    pub(crate) fn taken_by(&self, length: usize) -> usize {
        length.next_multiple_of(1 << self.unit)
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
        let cells = self.0.get(from..).and_then(|rest| rest.get(..length));
        sync::read(cells.unwrap_or_default());
        match cells {
            // SAFETY: the range is in bounds and initialised (blocks start zeroed), UnsafeCell<u8>
            // has the layout of u8, and published bytes are never written again.
            Some(cells) => unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), length) },
            None => &[],
        }
    }

    /// Asks for the cache line `bytes` further on, before it is known to be needed: an entry
    /// spans two or three, and would else wait for memory as often.
    #[inline]
    pub(crate) fn prefetch(self, bytes: usize) {
        prefetch(self.0.as_ptr().wrapping_byte_add(bytes));
    }
}

/// Asks for a cache line.
#[inline]
pub(crate) fn prefetch<T>(at: *const T) {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch is a hint that reads nothing and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) };
    }
    #[cfg(not(all(target_arch = "x86_64", not(miri))))]
    let _ = at;
}

impl Appender {
    /// Copies `bytes` to the end of `arena`, which must be the one this was made with. `None`
    /// where there is no room left for it.
    pub(crate) fn append(&mut self, arena: &Arena, bytes: &[u8]) -> Option<Location> {
        let taken = arena.taken_by(bytes.len());
        let (mut chunk, mut used) = (self.chunk(arena)?, self.used);
        if chunk.bytes() - used < taken {
            chunk = self.grow(arena, taken)?;
            used = 0;
        }
        let cells = &chunk.cells()[used..][..bytes.len()];
        // SAFETY: the cells are in bounds and beyond everything appended so far, so no reader has
        // a location there; `&mut self` shuts out a second writer; `bytes` is another allocation.
        unsafe {
            let to = UnsafeCell::raw_get(cells.as_ptr());
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len());
        }
        sync::written(cells);
        self.used = used + taken;
        Some(self.location(arena, used))
    }

    /// Bytes of all chunks.
    pub(crate) fn allocated(&self) -> usize {
        self.total
    }

    /// The chunk that is being filled.
    fn chunk<'a>(&self, arena: &'a Arena) -> Option<&'a Block> {
        match self.chunks {
            0 => Some(&arena.first),
            nth => arena.more[nth - 1].get(),
        }
    }

    fn grow<'a>(&mut self, arena: &'a Arena, least: usize) -> Option<&'a Block> {
        if self.chunks == CHUNKS || least > arena.chunk as usize {
            return None;
        }
        let chunk = arena.more[self.chunks].get_or_init(|| self.ground.block(arena.chunk as usize));
        self.chunks += 1;
        self.total += chunk.bytes();
        Some(chunk)
    }

    /// Where byte `used` of the chunk being filled is.
    fn location(&self, arena: &Arena, used: usize) -> Location {
        let chunk = match self.chunks {
            0 => 0,
            nth => arena.first.bytes() + (nth - 1) * arena.chunk as usize,
        };
        Location(((chunk + used) >> arena.unit) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fills an arena whose first chunk has `first` bytes, with up to 256 at a time.
    fn fill(ground: &Arc<Ground>, first: usize) {
        let (arena, mut appender) = Arena::new(ground, first);
        let mut kept = Vec::new();
        for n in 0.. {
            let bytes = vec![(n % 251) as u8; n % 256 + 1];
            let Some(at) = appender.append(&arena, &bytes) else { break };
            kept.push((at, bytes));
        }
        assert_eq!(appender.chunks, CHUNKS);
        for (at, bytes) in &kept {
            assert_eq!(arena.at(*at).read(0, bytes.len()), &bytes[..]);
        }
    }

    #[test]
    fn what_was_appended_stays() {
        let (plain, settled) = (Arc::default(), Arc::new(Ground::settled()));
        fill(&plain, 10);
        fill(&settled, 10);
        // Chunks of sizes that slabs round.
        let chunks: &[usize] = if cfg!(miri) { &[] } else { &[4_097, 16_100] };
        for chunk in chunks {
            fill(&plain, chunk * CHUNK_PART);
            fill(&settled, chunk * CHUNK_PART);
        }
    }

    #[test]
    fn full_is_said_and_places_that_do_not_exist_are_empty() {
        let (arena, mut appender) = Arena::new(&Arc::default(), 0);
        let big = vec![7; CHUNK_BYTES];
        assert_eq!(appender.append(&arena, &[0; CHUNK_BYTES + 1]), None, "larger than a chunk");
        for _ in 0..CHUNKS {
            assert!(appender.append(&arena, &big).is_some());
        }
        assert_eq!(appender.append(&arena, &big), None);
        assert_eq!(appender.allocated(), CHUNK_BYTES * CHUNKS);
        for at in [CHUNK_BYTES * CHUNKS / 4, u32::MAX as usize] {
            assert!(arena.at(Location(at as u32)).read(0, 1).is_empty());
        }
        assert!(arena.at(Location(0)).read(0, CHUNK_BYTES + 1).is_empty());
    }
}
