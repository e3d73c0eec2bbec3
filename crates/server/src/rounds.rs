//! [`Rounds`]: a thread of the server that does one thing round after round, until it is dropped.

use std::{
    io,
    sync::mpsc::{RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

/// The thread. Dropped, it ends after the round that it may be in.
pub(crate) struct Rounds {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rounds {
    /// Starts it; `round` says how long to rest before the next.
    pub(crate) fn start(
        name: &str,
        mut round: impl FnMut() -> Duration + Send + 'static,
    ) -> io::Result<Self> {
        let (stop, stopped) = channel::<()>();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            let mut pause = Duration::ZERO;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = round();
            }
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Rounds {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
