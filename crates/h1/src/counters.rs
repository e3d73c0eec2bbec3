//! What a server counts about itself: plain atomics that a metrics page reads whenever it likes.
//!
//! The engine adds once a batch, not once a request, so that workers don't fight over a cache line.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::Refusal;

/// Counts since the server's start; `open` alone goes down again.
#[derive(Debug, Default)]
pub struct Counters {
    /// Connections that are open now.
    pub open: AtomicU64,
    /// Connections accepted.
    pub accepted: AtomicU64,
    /// Connections whose every request was answered straight after accept, with neither io_uring nor a coroutine.
    pub inline: AtomicU64,
    /// Connections that were served through io_uring because they stayed.
    pub io_uring: AtomicU64,
    /// Requests that reached a handler.
    pub requests: AtomicU64,
    /// Handlers that panicked and were answered 500.
    pub panics: AtomicU64,
    /// Connections refused because their address had too many.
    pub per_ip: AtomicU64,
    /// Times that accepting paused because descriptors or memory had run out.
    pub accept_pauses: AtomicU64,
    /// Requests refused by the engine, by [`Refusal::index`].
    pub refused: [AtomicU64; Refusal::ALL.len()],
}

impl Counters {
    /// How often the engine refused for this reason.
    #[must_use]
    pub fn refused(&self, why: Refusal) -> u64 {
        self.refused[why.index()].load(Ordering::Relaxed)
    }

    /// Adds; nothing is written where there is nothing to add.
    pub(crate) fn add_nonzero(counter: &AtomicU64, n: u64) {
        if n > 0 {
            counter.fetch_add(n, Ordering::Relaxed);
        }
    }

    pub(crate) fn refuse(&self, why: Refusal) {
        Self::add_nonzero(&self.refused[why.index()], 1);
    }
}
