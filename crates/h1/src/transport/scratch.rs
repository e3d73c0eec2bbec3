//! Read and write buffers that belong to a worker, not to a connection.
//!
//! A turn — read, answer, write — never waits, so all connections of a worker can take turns with one pair of buffers: they stay
//! in the cache, and an idle connection holds none. The pair is taken out of its place for the turn and put back after it;
//! should a handler break its word and wait, the next turn finds the place empty and makes another pair.

use std::cell::Cell;

/// Bytes read at once.
const READ_BYTES: usize = 32 * 1024;

/// An output buffer that has grown beyond this is not kept.
const KEEP_BYTES: usize = 256 * 1024;

/// The buffers of one turn.
pub(crate) struct Scratch {
    pub(crate) input: Box<[u8]>,
    pub(crate) output: Vec<u8>,
}

thread_local! {
    static SPARE: Cell<Option<Scratch>> = const { Cell::new(None) };
}

impl Scratch {
    #[inline(never)]
    pub(crate) fn take() -> Self {
        SPARE.with(Cell::take).unwrap_or_else(|| Self {
            input: vec![0; READ_BYTES].into_boxed_slice(),
            output: Vec::with_capacity(READ_BYTES),
        })
    }

    #[inline(never)]
    pub(crate) fn give_back(mut self) {
        self.output.clear();
        if self.output.capacity() <= KEEP_BYTES {
            SPARE.with(|spare| spare.set(Some(self)));
        }
    }
}
