//! The one door to what connections share with other threads in their hand-overs, so that a model checker can stand in
//! for it.

#[cfg(not(feature = "model"))]
pub(crate) use parking_lot::Mutex;
#[cfg(not(feature = "model"))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU64};

#[cfg(feature = "model")]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU64};

/// A lock that no panic poisons.
#[cfg(feature = "model")]
#[derive(Debug)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(feature = "model")]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> loom::sync::MutexGuard<'_, T> {
        self.0.lock().expect("no poison in a model")
    }
}
