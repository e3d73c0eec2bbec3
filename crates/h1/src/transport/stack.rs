//! One stack a worker on which all its connections take their turns.
//!
//! A connection's coroutine has a stack of its own, which it needs for waiting. If it took its turns there too, every
//! request would run on other memory than the one before: with a hundred busy connections that is more than the
//! innermost cache holds, and an idle connection would keep pages that only its last turn touched. A turn never waits,
//! so one stack serves them all and stays hot.
//!
//! The stack is taken out of its place for the turn and put back after it. Should a handler break its word and wait, the
//! next turn finds the place empty and runs where it is.

#![allow(unsafe_code)]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;

/// Bytes of a stack. Only what is touched is memory.
const BYTES: usize = 256 * 1024;
/// Bytes below it that nobody may touch: an overflow ends the process instead of writing elsewhere.
const GUARD: usize = 64 * 1024;

enum Place {
    Unmade,
    Spare(Stack),
    /// In use, or not to be had.
    Empty,
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Unmade) };
}

/// Does `work` on this worker's stack; where that is not to be had, on the current one.
pub(super) fn on_workers<R>(work: impl FnOnce() -> R) -> R {
    match take() {
        Some(stack) => stack.run(work),
        None => work(),
    }
}

#[inline(never)]
fn take() -> Option<Stack> {
    PLACE.with(|place| match place.replace(Place::Empty) {
        Place::Unmade => Stack::new(),
        Place::Spare(stack) => Some(stack),
        Place::Empty => None,
    })
}

/// Puts a stack back where the current thread will look for it, which is where it came from unless `work` waited.
#[inline(never)]
fn give_back(stack: Stack) {
    PLACE.with(|place| place.set(Place::Spare(stack)));
}

/// Memory for a stack, whole pages with a guard below. Nobody else has it.
struct Stack(NonNull<u8>);

impl Stack {
    fn new() -> Option<Self> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_STACK | libc::MAP_NORESERVE;
        // SAFETY: a new mapping wherever the kernel likes; it overlaps nothing.
        let all = unsafe {
            libc::mmap(std::ptr::null_mut(), GUARD + BYTES, libc::PROT_NONE, flags, -1, 0)
        };
        if all == libc::MAP_FAILED {
            return None;
        }
        let stack = Self(NonNull::new(all.cast::<u8>())?);
        // SAFETY: GUARD is inside of the mapping and a whole number of pages, and what follows it is the rest.
        let opened = unsafe {
            libc::mprotect(stack.base().cast(), BYTES, libc::PROT_READ | libc::PROT_WRITE)
        };
        (opened == 0).then_some(stack)
    }

    /// The lowest byte that may be used.
    fn base(&self) -> *mut u8 {
        // SAFETY: GUARD is inside of the mapping.
        unsafe { self.0.as_ptr().add(GUARD) }
    }

    /// Does `work` on this stack and puts it back.
    fn run<R>(self, work: impl FnOnce() -> R) -> R {
        // SAFETY: the memory is readable, writable, aligned to a page and a whole number of pages; `self` owns it, so
        // nobody else runs on it or frees it until this returns; and nothing unwinds out of the closure.
        let done =
            unsafe { psm::on_stack(self.base(), BYTES, || catch_unwind(AssertUnwindSafe(work))) };
        give_back(self);
        done.unwrap_or_else(|panic| resume_unwind(panic))
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and nothing runs on it: whoever runs on a stack holds it.
        unsafe { libc::munmap(self.0.as_ptr().cast(), GUARD + BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> usize {
        let on_the_stack = 0u8;
        (&raw const on_the_stack).addr()
    }

    #[test]
    fn turns_share_one_stack_and_a_turn_within_a_turn_stays_where_it_is() {
        let (own, first) = (here(), on_workers(here));
        assert!(own.abs_diff(first) > BYTES, "it ran on the thread's own stack");
        assert!(on_workers(here).abs_diff(first) < BYTES);
        let (outer, inner) = on_workers(|| (here(), on_workers(here)));
        assert!(outer.abs_diff(first) < BYTES && inner.abs_diff(first) < BYTES);
        assert_ne!(outer, inner);
    }

    #[test]
    fn a_panic_comes_through_and_the_stack_is_put_back() {
        let stack = on_workers(here);
        let panicked = catch_unwind(|| on_workers(|| panic!("on purpose")));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
        assert!(on_workers(here).abs_diff(stack) < BYTES);
    }

    #[test]
    fn what_a_turn_gives_comes_back_whole() {
        let words: Vec<usize> = (0..1000).collect();
        let sum = on_workers(|| {
            let copies = [words.clone(), words.clone()];
            copies.iter().flatten().sum::<usize>()
        });
        assert_eq!(sum, 999_000);
    }
}
