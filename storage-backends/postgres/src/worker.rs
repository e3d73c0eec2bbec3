//! [`Worker`]: a thread of the store's own that does one thing again and again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};

use waypost_storage::{Error, Result};

/// A thread at work; dropping it ends it.
pub(crate) struct Worker {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Does `work` until it is told to stop. What that takes long over looks at the flag itself;
    /// a parked thread is woken.
    ///
    /// # Errors
    /// `Unavailable`: no thread could be started.
    pub(crate) fn start(
        name: &str,
        mut work: impl FnMut(&AtomicBool) + Send + 'static,
    ) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let again = move || {
            while !stopped.load(Relaxed) {
                work(&stopped);
            }
        };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(again);
        let thread = thread.map_err(|error| Error::Unavailable(error.to_string()))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A panic of the thread was reported when it happened.
            let _ = thread.join();
        }
    }
}
