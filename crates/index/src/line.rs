//! A table's slots, twelve to a cache line: a byte of each key's hash, then where its entry is.
//!
//! All twelve bytes are compared at once and without a branch, so that the processor may go on to
//! fetch an entry, or what comes after, before the line itself has arrived.
//!
//! A slot is filled by storing its place and then its tag, and changed by one store of its place:
//! a reader that sees the tag sees a place that goes with it, or a later one. It may even see one
//! of another key, where the slot was emptied and filled meanwhile, so it compares the entry's name.
#![allow(unsafe_code)]

use std::sync::Arc;

#[cfg(not(feature = "model"))]
use crate::ground::{Block, LINE};
use crate::{
    arena::Location,
    ground::Ground,
    limits::GROUP,
    sync::{AtomicU32, AtomicU64, Ordering},
};

/// The tag of a slot that was never filled since the table was built.
pub(crate) const EMPTY: u8 = 0;
/// The tag of a slot whose entry was taken away.
pub(crate) const DELETED: u8 = 1;
/// Tags from here on are of keys.
pub(crate) const FULL: u8 = 2;

/// One in each byte.
const ONES: u64 = u64::MAX / 0xff;
/// The low bits of each byte.
const LOW: u64 = ONES * 0x7f;
/// The top bit of each byte that is a tag: six in each of two words.
const TAGS: u64 = (ONES << 7) >> 16;

/// The tags of even slots, those of odd ones, and all slots' places.
#[repr(C, align(64))]
#[cfg_attr(feature = "model", derive(Default))]
pub(crate) struct Line {
    tags: [AtomicU64; 2],
    places: [AtomicU32; GROUP],
}

#[cfg(not(feature = "model"))]
const _: () = assert!(size_of::<Line>() == LINE && GROUP == 12);

/// The lines of a table.
#[cfg(not(feature = "model"))]
pub(crate) struct Lines(Block);

/// The lines of a table in a model, whose atomics are more than memory.
#[cfg(feature = "model")]
pub(crate) struct Lines(Box<[Line]>);

#[cfg(feature = "model")]
impl Lines {
    pub(crate) fn new(_: &Arc<Ground>, count: usize) -> Self {
        Self((0..count).map(|_| Line::default()).collect())
    }

    pub(crate) fn all(&self) -> &[Line] {
        &self.0
    }

    pub(crate) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

#[cfg(not(feature = "model"))]
impl Lines {
    /// So many lines of empty slots.
    pub(crate) fn new(ground: &Arc<Ground>, count: usize) -> Self {
        Self(ground.block(count * LINE))
    }

    /// All of them.
    #[inline]
    pub(crate) fn all(&self) -> &[Line] {
        let cells = self.0.cells();
        // SAFETY: blocks are aligned to lines and a multiple of them long; a line is atomics only,
        // for which any bytes will do and sharing is allowed; nothing else is made of this block.
        unsafe { std::slice::from_raw_parts(cells.as_ptr().cast(), cells.len() / LINE) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// A line's tags at a moment.
#[derive(Clone, Copy)]
pub(crate) struct Tags([u64; 2]);

/// Some slots of a line, to be gone through in order: a slot's bit is four times its number.
#[derive(Clone, Copy)]
pub(crate) struct Slots(u64);

impl Line {
    #[inline]
    pub(crate) fn tags(&self) -> Tags {
        Tags([self.tags[0].load(Ordering::Acquire), self.tags[1].load(Ordering::Acquire)])
    }

    /// Where the entry of `slot` is, which must be full or have been.
    #[inline]
    pub(crate) fn place(&self, slot: usize) -> Location {
        Location(self.places[slot % GROUP].load(Ordering::Acquire))
    }

    /// Fills `slot`, or changes its entry. One thread only.
    pub(crate) fn fill(&self, slot: usize, tag: u8, place: Location) {
        self.places[slot].store(place.0, Ordering::Release);
        self.set_tag(slot, tag);
    }

    /// Takes the entry of `slot` away. One thread only.
    pub(crate) fn clear(&self, slot: usize) {
        self.set_tag(slot, DELETED);
    }

    fn set_tag(&self, slot: usize, tag: u8) {
        let (word, shift) = (&self.tags[slot % 2], slot / 2 * 8);
        let others = word.load(Ordering::Relaxed) & !(0xff << shift);
        word.store(others | u64::from(tag) << shift, Ordering::Release);
    }
}

impl Tags {
    /// The slots with this tag.
    #[inline]
    pub(crate) fn of(self, tag: u8) -> Slots {
        let [even, odd] = self.0.map(|tags| zeros(tags ^ (u64::from(tag) * ONES)));
        Slots(even >> 7 | odd >> 3)
    }

    /// The tag of `slot`.
    pub(crate) fn tag(self, slot: usize) -> u8 {
        (self.0[slot % 2] >> (slot / 2 * 8)) as u8
    }

    /// The slots that hold a key.
    pub(crate) fn full(self) -> impl Iterator<Item = usize> {
        (0..GROUP).filter(move |&slot| self.tag(slot) >= FULL)
    }

    /// The first slot that holds none.
    pub(crate) fn free(self) -> Option<usize> {
        (0..GROUP).find(|&slot| self.tag(slot) < FULL)
    }
}

impl Slots {
    #[inline]
    pub(crate) fn none(self) -> bool {
        self.0 == 0
    }
}

impl Iterator for Slots {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        let slot = self.0.trailing_zeros() / 4;
        (self.0 != 0).then(|| {
            self.0 &= self.0 - 1;
            slot as usize
        })
    }
}

/// The top bit of each tag that is zero.
#[inline]
const fn zeros(tags: u64) -> u64 {
    !(((tags & LOW) + LOW) | tags) & TAGS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_found_by_their_tags() {
        let lines = Lines::new(&Arc::default(), 1);
        let [line] = lines.all() else { panic!("one line") };
        let of = |tag| line.tags().of(tag).collect::<Vec<_>>();
        assert_eq!(of(EMPTY).len(), GROUP);
        for (slot, tag) in [2, 3, 255, 2, 128, 127, 2, 254, 3, 129, 2, 126].into_iter().enumerate()
        {
            assert_eq!(line.tags().free(), Some(slot));
            line.fill(slot, tag, Location(slot as u32 * 300_000_000));
        }
        assert!(line.tags().of(EMPTY).none() && line.tags().free().is_none());
        for (tag, slots) in
            [(2, &[0, 3, 6, 10][..]), (3, &[1, 8]), (255, &[2]), (126, &[11]), (4, &[]), (0, &[])]
        {
            assert_eq!(of(tag), slots, "{tag}");
        }
        line.clear(7);
        line.fill(8, 3, Location(5));
        assert_eq!((of(DELETED), of(3), line.place(8)), (vec![7], vec![1, 8], Location(5)));
        assert_eq!((line.tags().full().count(), line.tags().free()), (11, Some(7)));
    }
}
