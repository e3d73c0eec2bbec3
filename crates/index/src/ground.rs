//! The memory that tables stand on: whole huge pages, shared by neighbours.
//!
//! A lookup goes to a random place in hundreds of megabytes. With pages of 4 KiB it waits for the
//! page tables about as long as for the data; with pages of 2 MiB the processor knows them all. A
//! table is smaller than that (so that rebuilding one is quick), so the ground is bought in slabs
//! of many huge pages and let to tables block by block. Where the kernel gives no huge pages,
//! everything is the same, only slower.
//!
//! Only the writer's side takes and gives back blocks; readers never come here.
#![allow(unsafe_code)]

use std::{
    alloc::{Layout, alloc, alloc_zeroed, dealloc, handle_alloc_error},
    cell::UnsafeCell,
    ptr::NonNull,
    sync::Arc,
};

use range_alloc::RangeAllocator;

use crate::{
    limits::{HUGE_PAGE, SLAB_PART, SMALL_BLOCK},
    sync::{Mutex, lock},
};

/// Blocks begin at and are multiples of a cache line.
pub(crate) const LINE: usize = 64;

/// Sizes of blocks between a power of two and its half are half as many as this: few, so that the
/// place of one table fits the next of about its size.
const SIZES: usize = 32;

/// Slabs, and which parts of them are let.
#[derive(Default)]
pub(crate) struct Ground {
    /// Without it, every block is left to the allocator.
    slabs: Option<Mutex<Slabs>>,
}

#[derive(Default)]
struct Slabs {
    all: Vec<Slab>,
    bytes: usize,
    /// Bytes that are let.
    let_out: usize,
}

struct Slab {
    memory: Memory,
    /// In cache lines from its start.
    free: RangeAllocator<usize>,
}

/// Bytes of a table: zero at first, written by one thread, freed when dropped.
pub(crate) struct Block {
    start: NonNull<UnsafeCell<u8>>,
    bytes: usize,
    /// What it was let from; nothing where it is the allocator's.
    ground: Option<Arc<Ground>>,
}

// SAFETY: a block owns its bytes like a `Box<[UnsafeCell<u8>]>` does.
unsafe impl Send for Block {}
// SAFETY: what is shared is `UnsafeCell`s: only unsafe code reads or writes them, and sees to it
// that no byte is read while another thread writes it.
unsafe impl Sync for Block {}

impl Ground {
    /// Ground with slabs, for tables that keep their size; the default has none.
    pub(crate) fn settled() -> Self {
        Self { slabs: Some(Mutex::default()) }
    }

    /// How many bytes a block of at least `bytes` has.
    pub(crate) fn size(&self, bytes: usize) -> usize {
        let bytes = bytes.next_multiple_of(LINE);
        match self.slabs_for(bytes) {
            Some(_) => bytes.next_multiple_of((bytes.next_power_of_two() / SIZES).max(LINE)),
            None => bytes,
        }
    }

    /// The slabs that a block of so many bytes is let from.
    fn slabs_for(&self, bytes: usize) -> Option<&Mutex<Slabs>> {
        self.slabs.as_ref().filter(|_| bytes >= SMALL_BLOCK)
    }

    /// A block of at least `bytes`, all zero.
    pub(crate) fn block(self: &Arc<Self>, bytes: usize) -> Block {
        let bytes = self.size(bytes);
        let Some(slabs) = self.slabs_for(bytes) else {
            return Block { start: small(bytes), bytes, ground: None };
        };
        let start = lock(slabs).take(bytes);
        // SAFETY: the range belongs to a live slab and to nobody else, as it was free until now.
        unsafe { start.write_bytes(0, bytes) };
        Block { start: start.cast(), bytes, ground: Some(Arc::clone(self)) }
    }

    /// Bytes of slabs that no table has.
    pub(crate) fn idle(&self) -> usize {
        self.slabs.as_ref().map_or(0, |slabs| lock(slabs).idle())
    }

    fn give_back(&self, start: NonNull<u8>, bytes: usize) {
        if let Some(slabs) = &self.slabs {
            lock(slabs).give_back(start, bytes);
        }
    }
}

impl Block {
    /// Its bytes.
    #[inline]
    pub(crate) fn cells(&self) -> &[UnsafeCell<u8>] {
        // SAFETY: the block owns `bytes` initialised bytes from `start` for as long as it lives.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.bytes) }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        match &self.ground {
            Some(ground) => ground.give_back(self.start.cast(), self.bytes),
            None if self.bytes == 0 => {}
            // SAFETY: `small` made it with this very layout.
            None => unsafe { dealloc(self.start.as_ptr().cast(), layout(self.bytes, LINE)) },
        }
    }
}

impl Slabs {
    fn idle(&self) -> usize {
        self.bytes - self.let_out
    }

    fn take(&mut self, bytes: usize) -> NonNull<u8> {
        let lines = bytes / LINE;
        let place =
            |slab: &mut Slab| Some((slab.free.allocate_range(lines).ok()?, slab.memory.start));
        let (range, start) = match self.all.iter_mut().find_map(place) {
            Some(found) => found,
            None => {
                let slab = self.buy(bytes);
                (slab.free.allocate_range(lines).unwrap_or(0..lines), slab.memory.start)
            }
        };
        self.let_out += bytes;
        // SAFETY: the range lies within the slab that begins at `start`.
        unsafe { start.add(range.start * LINE) }
    }

    /// A new slab with room for `bytes`, and more the more there is.
    fn buy(&mut self, bytes: usize) -> &mut Slab {
        let size = (self.bytes / SLAB_PART).max(bytes).next_multiple_of(HUGE_PAGE);
        self.bytes += size;
        let memory = Memory::new(size);
        self.all.push(Slab { memory, free: RangeAllocator::new(0..size / LINE) });
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    fn give_back(&mut self, start: NonNull<u8>, bytes: usize) {
        self.let_out -= bytes;
        let Some(nth) = self.all.iter().position(|slab| slab.memory.contains(start)) else {
            return;
        };
        let slab = &mut self.all[nth];
        let from = (start.addr().get() - slab.memory.start.addr().get()) / LINE;
        slab.free.free_range(from..from + bytes / LINE);
        if slab.free.is_empty() {
            self.bytes -= slab.memory.layout.size();
            self.all.swap_remove(nth);
        }
    }
}

/// A slab's memory, aligned to huge pages. What is in it is unknown at first.
struct Memory {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: it owns its bytes and shares none.
unsafe impl Send for Memory {}

impl Memory {
    fn new(bytes: usize) -> Self {
        let layout = layout(bytes, HUGE_PAGE);
        // SAFETY: `bytes` is not zero.
        let start = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(start) else { handle_alloc_error(layout) };
        advise(start, layout.size(), Advice::Huge);
        Self { start, layout }
    }

    fn contains(&self, at: NonNull<u8>) -> bool {
        (self.start.addr()..self.start.addr().saturating_add(self.layout.size()))
            .contains(&at.addr())
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        advise(self.start, self.layout.size(), Advice::Small);
        // SAFETY: made in `new` with this layout.
        unsafe { dealloc(self.start.as_ptr(), self.layout) };
    }
}

#[derive(Clone, Copy)]
enum Advice {
    Huge,
    /// What the allocator gets back must not cost others a huge page each time it is touched.
    Small,
}

/// Asks the kernel for huge pages, or for none. It may refuse: then pages stay small.
fn advise(start: NonNull<u8>, bytes: usize, advice: Advice) {
    #[cfg(all(target_os = "linux", not(miri)))]
    {
        let advice = match advice {
            Advice::Huge => libc::MADV_HUGEPAGE,
            Advice::Small => libc::MADV_NOHUGEPAGE,
        };
        // SAFETY: the range is ours, and this advice changes nothing that a program can see.
        unsafe { libc::madvise(start.as_ptr().cast(), bytes, advice) };
    }
    #[cfg(not(all(target_os = "linux", not(miri))))]
    let _ = (start, bytes, advice);
}

/// A block of the allocator's.
fn small(bytes: usize) -> NonNull<UnsafeCell<u8>> {
    let layout = layout(bytes, LINE);
    if bytes == 0 {
        return NonNull::<Aligned>::dangling().cast();
    }
    // SAFETY: `bytes` is not zero.
    let start = unsafe { alloc_zeroed(layout) };
    NonNull::new(start.cast()).unwrap_or_else(|| handle_alloc_error(layout))
}

#[repr(align(64))]
struct Aligned;

fn layout(bytes: usize, align: usize) -> Layout {
    Layout::from_size_align(bytes, align).unwrap_or_else(|_| panic!("{bytes} bytes of index"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(block: &Block, with: u8) {
        for cell in block.cells() {
            // SAFETY: nobody else has the block.
            unsafe { *cell.get() = with };
        }
    }

    fn holds(block: &Block, what: u8) -> bool {
        // SAFETY: nobody writes it now.
        block.cells().iter().all(|cell| unsafe { *cell.get() } == what)
    }

    #[test]
    fn blocks_are_zero_apart_from_each_other_and_given_back() {
        let ground = Arc::new(Ground::settled());
        for round in 1..4 {
            let sizes =
                [0, 1, 64, SMALL_BLOCK - 1, SMALL_BLOCK, SMALL_BLOCK * 3 + 1, HUGE_PAGE + 1];
            let blocks: Vec<_> = sizes.map(|bytes| ground.block(bytes)).into();
            for ((nth, block), bytes) in (0..).zip(&blocks).zip(sizes) {
                assert!(block.bytes() >= bytes && holds(block, 0), "{bytes} bytes");
                assert!(block.cells().as_ptr().addr().is_multiple_of(LINE));
                fill(block, nth * 10 + round);
            }
            for (nth, block) in (0..).zip(&blocks) {
                assert!(holds(block, nth * 10 + round));
            }
            let slabs = || lock(ground.slabs.as_ref().unwrap()).bytes;
            assert!(slabs().is_multiple_of(HUGE_PAGE) && ground.idle() < slabs());
            drop(blocks);
            assert!(slabs() == 0 && ground.idle() == 0);
        }
    }
}
