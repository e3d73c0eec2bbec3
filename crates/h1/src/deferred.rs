//! Answers that come later, from another thread.
//!
//! The connection and the thread share a slot. Whoever comes second finds what the first left there: the response,
//! or the means to wake the connection. The slot knows neither sockets nor coroutines; how to wake is a closure that the
//! transport leaves behind.

use std::sync::Arc;

use crate::Response;
use crate::sync::Mutex;

/// The promise of an answer. It may go to any thread; dropped without an answer it answers 503.
#[must_use = "dropping it answers 503"]
#[derive(Debug)]
pub struct Deferred {
    slot: Option<Arc<Slot>>,
}

impl Deferred {
    pub(crate) fn new(slot: Arc<Slot>) -> Self {
        Self { slot: Some(slot) }
    }

    /// Sends the answer. It never blocks: the connection's own worker writes it.
    pub fn complete(mut self, response: Response) {
        if let Some(slot) = self.slot.take() {
            slot.fill(response);
        }
    }
}

impl Drop for Deferred {
    fn drop(&mut self) {
        if let Some(slot) = self.slot.take() {
            slot.fill(Response::new(503).header("Retry-After", "1"));
        }
    }
}

type Wake = Box<dyn FnOnce() + Send>;

/// Where connection and thread meet.
pub(crate) struct Slot(Mutex<State>);

enum State {
    Empty,
    Waiting(Wake),
    Filled(Response),
}

impl std::fmt::Debug for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Slot")
    }
}

impl Slot {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(State::Empty)))
    }

    /// The response, if it is there.
    pub(crate) fn take(&self) -> Option<Response> {
        let mut state = self.0.lock();
        match std::mem::replace(&mut *state, State::Empty) {
            State::Filled(response) => Some(response),
            other => {
                *state = other;
                None
            }
        }
    }

    /// Leaves the means to wake the connection; false (and it is dropped) if the response is there already.
    pub(crate) fn wake_with(&self, wake: impl FnOnce() + Send + 'static) -> bool {
        let mut state = self.0.lock();
        let waits = !matches!(*state, State::Filled(_));
        if waits {
            *state = State::Waiting(Box::new(wake));
        }
        waits
    }

    fn fill(&self, response: Response) {
        let before = std::mem::replace(&mut *self.0.lock(), State::Filled(response));
        if let State::Waiting(wake) = before {
            wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn woken() -> (Arc<AtomicUsize>, impl FnOnce() + Send + 'static) {
        let count = Arc::new(AtomicUsize::new(0));
        let inner = Arc::clone(&count);
        (count, move || {
            inner.fetch_add(1, Ordering::SeqCst);
        })
    }

    #[test]
    fn a_response_before_the_wait_needs_no_wake() {
        let slot = Slot::new();
        Deferred::new(Arc::clone(&slot)).complete(Response::new(201));
        let (count, wake) = woken();
        assert!(!slot.wake_with(wake));
        assert_eq!(slot.take().map(|r| r.status()), Some(201));
        assert!(slot.take().is_none());
        assert_eq!(count.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_dropped_promise_wakes_with_503() {
        let slot = Slot::new();
        let (count, wake) = woken();
        assert!(slot.wake_with(wake));
        assert!(slot.take().is_none());
        drop(Deferred::new(Arc::clone(&slot)));
        assert_eq!(count.load(Ordering::SeqCst), 1);
        assert_eq!(slot.take().map(|r| r.status()), Some(503));
    }
}
