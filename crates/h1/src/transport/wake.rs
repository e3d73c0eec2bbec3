//! Waking a coroutine from outside its worker.
//!
//! `may`'s waker resumes a coroutine on whatever thread calls it, where it would race with its own worker. So the call itself
//! is made on that worker: a coroutine is sent there that does nothing else.

use std::os::fd::RawFd;

use may::io::WaitIoWaker;

use super::sys;

/// Wakes the coroutine that waits on `fd`, from any thread; it runs on its own worker.
#[inline(never)]
pub(crate) fn wake(fd: RawFd, waker: WaitIoWaker) {
    if let Err(error) = sys::spawn(fd, move || waker.wakeup()) {
        tracing::error!(%error, "can't wake a connection");
    }
}
