//! The one door to what the queue's parties share, so that a model checker can stand in for it.
//!
//! The crates behind it are trusted to be what they say: the model's queue and cell keep the same
//! promises with a lock. What `model.rs` checks is how the queue uses them.

#[cfg(not(feature = "model"))]
pub(crate) use self::real::*;
#[cfg(feature = "model")]
pub(crate) use self::standing_in::*;

#[cfg(not(feature = "model"))]
mod real {
    pub(crate) use std::{
        sync::atomic::{AtomicU64, AtomicUsize},
        thread::yield_now,
    };

    pub(crate) use crossbeam_queue::ArrayQueue;
    pub(crate) use crossbeam_utils::atomic::AtomicCell;
}

#[cfg(feature = "model")]
mod standing_in {
    use std::collections::VecDeque;

    use loom::sync::Mutex;
    pub(crate) use loom::{
        sync::atomic::{AtomicU64, AtomicUsize},
        thread::yield_now,
    };

    /// A place for a value that is exchanged as a whole.
    #[derive(Default)]
    pub(crate) struct AtomicCell<T>(Mutex<T>);

    impl<T> AtomicCell<T> {
        pub(crate) fn swap(&self, value: T) -> T {
            std::mem::replace(&mut *self.0.lock().expect("no poison in a model"), value)
        }
    }

    /// A bounded queue of many producers and consumers.
    #[derive(Debug)]
    pub(crate) struct ArrayQueue<T> {
        waiting: Mutex<VecDeque<T>>,
        capacity: usize,
    }

    impl<T> ArrayQueue<T> {
        pub(crate) fn new(capacity: usize) -> Self {
            Self { waiting: Mutex::default(), capacity }
        }

        pub(crate) fn push(&self, value: T) -> Result<(), T> {
            let mut waiting = self.waiting.lock().expect("no poison in a model");
            if waiting.len() == self.capacity {
                return Err(value);
            }
            waiting.push_back(value);
            Ok(())
        }

        pub(crate) fn pop(&self) -> Option<T> {
            self.waiting.lock().expect("no poison in a model").pop_front()
        }
    }
}
