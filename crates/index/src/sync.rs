//! The one door to what readers and the writer share, so that a model checker can stand in for it.
//!
//! Arc-swap is trusted: the model's swap keeps its promises with a lock. What `model.rs` checks is
//! how the index publishes with atomics, and that memory which isn't atomic is written before, and
//! only before, anybody may read it.

#[cfg(not(feature = "model"))]
pub(crate) use self::real::*;
#[cfg(feature = "model")]
pub(crate) use self::standing_in::*;

use std::time::Duration;

pub(crate) use std::sync::{PoisonError, atomic::Ordering};

/// Locks `mutex`. A writer that panicked left whole links behind: each is published by one store.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(not(feature = "model"))]
mod real {
    use super::{Duration, lock};

    pub(crate) use arc_swap::ArcSwap;
    pub(crate) use std::sync::{
        Condvar, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU32, AtomicU64, AtomicUsize},
    };

    /// Waits while `pending`, at most for `timeout`.
    pub(crate) fn wait_while(
        (mutex, condvar): &(Mutex<()>, Condvar),
        timeout: Duration,
        pending: impl Fn() -> bool,
    ) {
        drop(condvar.wait_timeout_while(lock(mutex), timeout, |()| pending()));
    }

    /// For a model: these bytes, which no reader knows of yet, were written.
    #[inline(always)]
    pub(crate) fn written<T>(_: &[T]) {}

    /// For a model: these bytes are about to be read.
    #[inline(always)]
    pub(crate) fn read<T>(_: &[T]) {}
}

#[cfg(feature = "model")]
mod standing_in {
    use std::{collections::HashMap, ops::Deref, sync::Arc};

    use super::{Duration, Ordering, lock};
    use loom::{cell::UnsafeCell, sync::atomic::AtomicBool};

    pub(crate) use loom::sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicU32, AtomicU64, AtomicUsize},
    };

    loom::lazy_static! {
        /// What the model checker thinks of each byte, by its address.
        static ref BYTES: std::sync::Mutex<HashMap<usize, UnsafeCell<()>>> = Default::default();
    }

    /// A value that is set once; a model may see it late.
    pub(crate) struct OnceLock<T>(std::sync::OnceLock<(T, AtomicBool)>);

    impl<T> OnceLock<T> {
        pub(crate) const fn new() -> Self {
            Self(std::sync::OnceLock::new())
        }

        pub(crate) fn get(&self) -> Option<&T> {
            let (value, is_set) = self.0.get()?;
            is_set.load(Ordering::Acquire).then_some(value)
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let (value, is_set) = self.0.get_or_init(|| (make(), AtomicBool::new(false)));
            is_set.store(true, Ordering::Release);
            value
        }
    }

    /// A pointer that is exchanged as a whole.
    #[derive(Default)]
    pub(crate) struct ArcSwap<T>(Mutex<Arc<T>>);

    /// What a reader holds.
    pub(crate) struct Guard<T>(Arc<T>);

    impl<T> Deref for Guard<T> {
        type Target = Arc<T>;

        fn deref(&self) -> &Arc<T> {
            &self.0
        }
    }

    impl<T> ArcSwap<T> {
        pub(crate) fn new(value: Arc<T>) -> Self {
            Self(Mutex::new(value))
        }

        pub(crate) fn load(&self) -> Guard<T> {
            Guard(Arc::clone(&lock(&self.0)))
        }

        pub(crate) fn store(&self, value: Arc<T>) {
            drop(self.swap(value));
        }

        pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
            std::mem::replace(&mut *lock(&self.0), value)
        }
    }

    pub(crate) fn wait_while(
        (mutex, condvar): &(Mutex<()>, Condvar),
        _: Duration,
        pending: impl Fn() -> bool,
    ) {
        let mut guard = lock(mutex);
        while pending() {
            guard = condvar.wait(guard).expect("no poison in a model");
        }
    }

    pub(crate) fn written<T>(bytes: &[T]) {
        let mut known = BYTES.lock().expect("no poison in a model");
        for byte in bytes {
            let cell = UnsafeCell::new(());
            cell.with_mut(|_| ());
            known.insert(std::ptr::from_ref(byte).addr(), cell);
        }
    }

    pub(crate) fn read<T>(bytes: &[T]) {
        let known = BYTES.lock().expect("no poison in a model");
        for byte in bytes {
            if let Some(cell) = known.get(&std::ptr::from_ref(byte).addr()) {
                cell.with(|_| ());
            }
        }
    }
}
